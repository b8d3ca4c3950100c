package main

deny contains "main is not chosen" if true
