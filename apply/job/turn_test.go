package job_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/sallyport/sallyport/apply/job"
)

// TestOvertaken: a run that has fetched a commit and then finds that another runner
// was at work applies what there is now, whether it had to wait for the lease or
// came when the other was through.
func TestOvertaken(t *testing.T) {
	for _, waits := range []bool{true, false} {
		name := map[bool]string{true: "waits", false: "comes later"}[waits]
		t.Run(name, func(t *testing.T) {
			s := ugly(t)
			s.apply()
			s.write("overlays/prod/web.yaml", s.web("nginx:old"))
			old := s.commit("old")
			newer := ""
			leads, met := make(chan struct{}), make(chan struct{})
			var once, meet sync.Once
			var others sync.WaitGroup
			var otherErr error
			other := s.job(func(o *job.Options) {
				o.Holder = "runner-other"
				o.Tell = func(line string) {
					if strings.HasPrefix(line, "applying ") {
						once.Do(func() { close(leads) })
						if waits {
							<-met
						}
					}
				}
			})
			var fetched []string
			out, err := s.job(func(o *job.Options) {
				o.Holder = "runner-one"
				o.Tell = func(line string) {
					if revision, ok := strings.CutPrefix(line, "fetched "); ok {
						fetched = append(fetched, revision)
					}
					if strings.HasPrefix(line, "waiting for runner-other") {
						meet.Do(func() { close(met) })
					}
					if line != "checking" || newer != "" {
						return
					}
					// The first has its commit: now the other takes a newer one.
					s.write("overlays/prod/web.yaml", s.web("nginx:newer"))
					newer = s.commit("newer")
					others.Go(func() { _, otherErr = other.Run(t.Context()) })
					if <-leads; !waits {
						others.Wait()
					}
				}
			}).Run(t.Context())
			others.Wait()
			if err != nil || otherErr != nil {
				t.Fatalf("%v, the other: %v", err, otherErr)
			}
			if len(fetched) != 2 || fetched[0] != old || fetched[1] != newer || out.Revision != newer {
				t.Errorf("fetched %q, applied %s, want %s and then %s", fetched, out.Revision, old, newer)
			}
			if got := actions(out); len(got) != 0 {
				t.Errorf("it went back, or did something twice: %v", got)
			}
			if image := s.get("deployment", "web", "-o", "jsonpath={.spec.template.spec.containers[0].image}"); image != "nginx:newer" {
				t.Errorf("image %s", image)
			}
		})
	}
}
