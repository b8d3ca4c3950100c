package main

var goneKinds = map[string]lifecycle{}
