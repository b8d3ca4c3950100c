package controlplane

// PlayLabel on a pod (so in a pod template) says what becomes of it; without it
// the pod is ready at once, or of a Job and succeeds at once. testdata/e2e/stages
// has how.
const PlayLabel = "sallyport.test/play"

// Values of PlayLabel.
const (
	NeverReady = "never-ready" // runs, and is never ready
	CrashLoop  = "crash-loop"  // is ready, crashes after a second, restarts after two, and so on
	PullFails  = "pull-fails"  // stays Pending: its images cannot be pulled
	JobFails   = "job-fails"   // the pod of a Job fails
)

// Annotations of pods; values are durations such as 5s.
const (
	ReadyAfter = "sallyport.test/ready-after" // how long it takes to be ready
	RunsFor    = "sallyport.test/runs-for"    // how long the pod of a Job runs
)
