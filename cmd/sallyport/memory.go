package main

import "runtime/debug"

const (
	// gcPercent trades memory for time: rendering makes much short-lived garbage,
	// and collecting it less often saves a fifth of the CPU time of a large run.
	gcPercent = 400
	// memoryCeiling is where the collector starts to work harder again. It lies
	// far above what 1,000 overlays need (about 0.6 GiB): close to the live heap
	// the collector would never rest.
	memoryCeiling = 3 << 30
)

// tune sets the garbage collector up for a short-lived process, unless the user
// did it with GOGC or GOMEMLIMIT.
func tune(env func(string) string) {
	if env("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if env("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryCeiling)
	}
}
