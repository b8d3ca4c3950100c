package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/gate"
)

// parseShard reads I/N; nothing is all of it.
func parseShard(text string) (gate.Shard, error) {
	if text == "" {
		return gate.Shard{}, nil
	}
	index, count, both := strings.Cut(text, "/")
	i, err := strconv.Atoi(index)
	n, other := strconv.Atoi(count)
	if !both || err != nil || other != nil || i < 1 || n < 1 || i > n {
		return gate.Shard{}, fmt.Errorf("--shard %q is not I/N, such as 2/8, with I from 1 to N", text)
	}
	return gate.Shard{Index: i, Count: n}, nil
}
