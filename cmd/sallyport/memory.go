package main

import "runtime/debug"

const (
	// gcPercent trades memory for time: rendering makes much short-lived garbage.
	// 1,000 overlays take 22 CPU seconds and 0.33 GiB with Go's own 100, 19 and
	// 0.6 GiB with 200, 16 and 1 GiB with 400.
	gcPercent = 200
	// memoryCeiling is where the collector starts to work harder again. It lies
	// far above what 1,000 overlays need: close to the live heap the collector
	// would never rest.
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
