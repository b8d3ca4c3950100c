package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

const (
	// progressAfter is how long a run may take before it says that it is at work;
	// below this a line would only flicker.
	progressAfter = 300 * time.Millisecond
	// progressEvery is how often the line is redrawn.
	progressEvery = 100 * time.Millisecond
	// eraseLine returns to the first column and clears the line (ECMA-48 EL).
	eraseLine = "\r\x1b[2K"
)

// progress is one line on a terminal that says what is being done.
type progress struct {
	w     io.Writer
	begin time.Time
	done  chan struct{}
	ended sync.WaitGroup

	mu    sync.Mutex
	doing string
}

func startProgress(w io.Writer) *progress {
	p := &progress{w: w, begin: time.Now(), done: make(chan struct{}), doing: "reading the repository"}
	p.ended.Go(p.loop)
	return p
}

// finished notes that a stage of the gate is over, and what comes next.
func (p *progress) finished(stage string, _ time.Duration) {
	next := map[string]string{
		"snapshot": "sealing secrets",
		"seal":     "finding targets",
		"discover": "loading schemas",
		"schemas":  "loading policies",
		"policies": "rendering and checking targets",
		"targets":  "gathering the report",
	}[stage]
	if next == "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.doing = next
}

// stop takes the line away.
func (p *progress) stop() {
	close(p.done)
	p.ended.Wait()
}

func (p *progress) loop() {
	select {
	case <-p.done:
		return
	case <-time.After(progressAfter):
	}
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	for {
		p.mu.Lock()
		fmt.Fprintf(p.w, "%s%s… %.1fs", eraseLine, p.doing, time.Since(p.begin).Seconds())
		p.mu.Unlock()
		select {
		case <-p.done:
			fmt.Fprint(p.w, eraseLine)
			return
		case <-tick.C:
		}
	}
}
