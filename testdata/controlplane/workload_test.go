package controlplane_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/testdata/controlplane"
)

func TestDeploymentBecomesAvailable(t *testing.T) {
	c := controlplane.Shared(t)
	ns := c.Namespace(t)
	c.Apply(t, deployment(ns, "web", 2, "", ""))
	c.Kubectl(t, "-n", ns, "wait", "--for=condition=Available", "--timeout=90s", "deployment/web")
}

// TestPlays holds what the labels and annotations of testdata/e2e/stages do.
func TestPlays(t *testing.T) {
	c := controlplane.Shared(t)
	ns := c.Namespace(t)
	for name, test := range map[string]struct{ play, path, want string }{
		"never-ready": {controlplane.NeverReady, "{.status.phase} {.status.containerStatuses[0].ready}", "Running false"},
		"crash":       {controlplane.CrashLoop, "{.status.phase} {.status.containerStatuses[0].ready} {.status.containerStatuses[0].state.waiting.reason}", "Running false CrashLoopBackOff"},
		"crash-again": {controlplane.CrashLoop, "{.status.containerStatuses[0].restartCount} {.status.containerStatuses[0].ready}", "2 true"},
		"pull":        {controlplane.PullFails, "{.status.phase} {.status.containerStatuses[0].state.waiting.reason}", "Pending ImagePullBackOff"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.Apply(t, deployment(ns, name, 1, controlplane.PlayLabel+": "+test.play, ""))
			eventually(t, "the pod is so", func() error {
				return is(c.Kubectl(t, "-n", ns, "get", "pods", "-l", "app="+name, "-o", "jsonpath={range .items[*]}"+test.path+"{end}"), test.want)
			})
		})
	}
	t.Run("late", func(t *testing.T) {
		t.Parallel()
		c.Apply(t, deployment(ns, "late", 1, "", controlplane.ReadyAfter+": 2s"))
		c.Kubectl(t, "-n", ns, "wait", "--for=condition=Available", "--timeout=90s", "deployment/late")
		created := c.Kubectl(t, "-n", ns, "get", "pods", "-l", "app=late", "-o", "jsonpath={.items[0].metadata.creationTimestamp}")
		if ready := c.Kubectl(t, "-n", ns, "get", "pods", "-l", "app=late", "-o", "jsonpath={.items[0].status.startTime}"); ready <= created {
			t.Errorf("ready at %s, created at %s", ready, created)
		}
	})
}

func TestJobs(t *testing.T) {
	c := controlplane.Shared(t)
	ns := c.Namespace(t)
	for play, condition := range map[string]string{"none": "Complete", controlplane.JobFails: "Failed"} {
		c.Apply(t, fmt.Sprintf(`{apiVersion: batch/v1, kind: Job, metadata: {name: %[2]s, namespace: %[1]s}, spec: {backoffLimit: 0,
			template: {metadata: {labels: {sallyport.test/play: %[2]s}}, spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}}`, ns, play))
		c.Kubectl(t, "-n", ns, "wait", "--for=condition="+condition, "--timeout=90s", "job/"+play)
	}
}

// TestStatefulSet also holds that claims are bound and load balancers have
// addresses, without which neither would ever be healthy.
func TestStatefulSet(t *testing.T) {
	c := controlplane.Shared(t)
	ns := c.Namespace(t)
	c.Apply(t, fmt.Sprintf(`
apiVersion: v1
kind: Service
metadata: {name: db, namespace: %[1]s}
spec: {type: LoadBalancer, selector: {app: db}, ports: [{port: 1}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: %[1]s}
spec:
  replicas: 3
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [
        {labelSelector: {matchLabels: {app: db}}, topologyKey: topology.kubernetes.io/zone}]}}
      containers: [{name: a, image: a, volumeMounts: [{name: data, mountPath: /data}]}]
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
`, ns))
	c.Kubectl(t, "-n", ns, "rollout", "status", "--timeout=90s", "statefulset/db")
	c.Kubectl(t, "-n", ns, "wait", "--for=jsonpath={.status.loadBalancer.ingress[0].ip}=192.0.2.1", "--timeout=90s", "service/db")
}

func deployment(ns, name string, replicas int, label, annotation string) string {
	return fmt.Sprintf(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: %[2]s, namespace: %[1]s}
spec:
  replicas: %[3]d
  selector: {matchLabels: {app: %[2]s}}
  template:
    metadata: {labels: {app: %[2]s, %[4]s}, annotations: {%[5]s}}
    spec: {containers: [{name: a, image: a}]}
`, ns, name, replicas, label, annotation)
}

func is(got, want string) error {
	if strings.TrimSpace(got) != want {
		return fmt.Errorf("it is %q, want %q", got, want)
	}
	return nil
}
