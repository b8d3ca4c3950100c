package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/gate"
)

// jobIndex is the variable in which Kubernetes tells a Pod of an Indexed Job which
// one it is, from 0.
const jobIndex = "JOB_COMPLETION_INDEX"

// parseShard reads I/N, where I may be the word job; nothing is all of it.
func parseShard(text string, env func(string) string) (gate.Shard, error) {
	if text == "" {
		return gate.Shard{}, nil
	}
	index, count, both := strings.Cut(text, "/")
	from := 0
	if index == "job" {
		if index, from = env(jobIndex), 1; index == "" {
			return gate.Shard{}, fmt.Errorf("--shard %q: %s is not set, as it is in an Indexed Job", text, jobIndex)
		}
	}
	i, err := strconv.Atoi(index)
	n, other := strconv.Atoi(count)
	if i += from; !both || err != nil || other != nil || i < 1 || n < 1 || i > n {
		return gate.Shard{}, fmt.Errorf("--shard %q is not I/N, such as 2/8, with I from 1 to N", text)
	}
	return gate.Shard{Index: i, Count: n}, nil
}
