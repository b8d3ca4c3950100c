package job

import (
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/sallyport/sallyport/apply/drift"
	"github.com/sallyport/sallyport/apply/health"
)

// metrics are what Prometheus is told. Labels are names of targets and stages,
// and commit SHAs: nothing of a Secret.
type metrics struct {
	registry *prometheus.Registry

	revision    *prometheus.GaugeVec
	objects     *prometheus.GaugeVec
	drifted     *prometheus.GaugeVec
	findings    *prometheus.GaugeVec
	duration    prometheus.Histogram
	runs        *prometheus.CounterVec
	pruned      *prometheus.CounterVec
	lastSuccess *prometheus.GaugeVec

	mu    sync.Mutex
	last  time.Time       // end of the last run
	known map[string]bool // targets of which something is told
}

func newMetrics() *metrics {
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "sallyport_" + name, Help: help}, labels)
	}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "sallyport_" + name, Help: help}, labels)
	}
	m := &metrics{
		known:       map[string]bool{},
		registry:    prometheus.NewRegistry(),
		revision:    gauge("applied_revision_info", "The revision that was last applied completely, as a label; always 1.", "target", "revision"),
		objects:     gauge("target_objects", "Objects of the target.", "target"),
		drifted:     gauge("drifted_objects", "Objects that differ from Git.", "target"),
		findings:    gauge("findings", "Findings of the gate in the last run.", "severity"),
		runs:        counter("runs_total", "Runs by result: applied, refused, superseded, failed.", "result"),
		pruned:      counter("pruned_objects_total", "Objects that were deleted since Git does not have them any more.", "target"),
		lastSuccess: gauge("last_success_timestamp_seconds", "When the target was last applied and healthy.", "target"),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "sallyport_run_duration_seconds", Help: "How long runs took.", Buckets: prometheus.ExponentialBuckets(0.5, 2, 12),
		}),
	}
	m.registry.MustRegister(m.revision, m.objects, m.drifted, m.findings, m.duration, m.runs, m.pruned, m.lastSuccess)
	return m
}

// ran takes in a run.
func (m *metrics) ran(out *Outcome, err error, took time.Duration, now time.Time) {
	m.alive(now)
	m.duration.Observe(took.Seconds())
	switch {
	case err == nil:
		m.runs.WithLabelValues("applied").Inc()
	case errors.Is(err, ErrRefused):
		m.runs.WithLabelValues("refused").Inc()
	case errors.Is(err, health.ErrSuperseded):
		m.runs.WithLabelValues("superseded").Inc() // by a newer commit: nothing is wrong
	default:
		m.runs.WithLabelValues("failed").Inc()
	}
	if out.Admission != nil {
		m.findings.WithLabelValues("error").Set(float64(out.Admission.Report.Summary.Errors))
		m.findings.WithLabelValues("warning").Set(float64(out.Admission.Report.Summary.Warnings))
	}
	m.compared(out)
	m.forget(out.Targets)
	for _, t := range out.Targets {
		if t.Result != nil {
			m.objects.WithLabelValues(t.Target).Set(float64(len(t.Result.Actions) - pruned(t.Result)))
			m.pruned.WithLabelValues(t.Target).Add(float64(pruned(t.Result)))
		}
		if t.Err == nil {
			m.revision.DeletePartialMatch(prometheus.Labels{"target": t.Target})
			m.revision.WithLabelValues(t.Target, out.Revision).Set(1)
			m.lastSuccess.WithLabelValues(t.Target).Set(float64(now.Unix()))
		}
	}
}

// forget drops what was told of targets that are gone from the repository: nobody
// is to be woken since they have had no success for an hour. A run that ended before
// it had to do with its targets does not know them all.
func (m *metrics) forget(targets []*TargetOutcome) {
	here := map[string]bool{}
	for _, t := range targets {
		if here[t.Target] = true; t.Result == nil && t.Err == nil {
			return
		}
	}
	if len(here) == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for target := range m.known {
		if !here[target] {
			for _, vec := range []*prometheus.GaugeVec{m.revision, m.objects, m.drifted, m.lastSuccess} {
				vec.DeletePartialMatch(prometheus.Labels{"target": target})
			}
		}
	}
	m.known = here
}

// alive notes that the loop goes round.
func (m *metrics) alive(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last = now
}

// compared takes in what differs.
func (m *metrics) compared(out *Outcome) {
	for _, t := range out.Targets {
		n := 0
		for _, o := range t.Drift {
			if o.What != drift.Added {
				n++
			}
		}
		m.drifted.WithLabelValues(t.Target).Set(float64(n))
	}
}

// Handler serves /metrics, and /healthz, which fails when no run has ended for
// longer than the given time: a loop that hangs is to be restarted.
func (j *Job) Handler(limit time.Duration) http.Handler {
	begin := j.opts.Now()
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(j.metrics.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		j.metrics.mu.Lock()
		last := j.metrics.last
		j.metrics.mu.Unlock()
		if last.Before(begin) {
			last = begin
		}
		if j.opts.Now().Sub(last) > limit {
			http.Error(w, "no run has ended since "+last.UTC().Format(time.RFC3339), http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("ok\n"))
	})
	return mux
}
