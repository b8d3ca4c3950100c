package fleet

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// app is what the templates of a base are filled with.
type app struct {
	App    string // payments-api
	Domain string // payments
}

// newApp names the i-th application: ten domains by five roles, then again with
// a number.
func newApp(i int) app {
	domains := []string{"accounts", "basket", "billing", "catalog", "delivery", "inventory", "payments", "pricing", "search", "support"}
	roles := []string{"api", "web", "worker", "gateway", "reports"}
	domain := domains[i%len(domains)]
	name := domain + "-" + roles[i/len(domains)%len(roles)]
	return app{App: numbered(name, i/(len(domains)*len(roles))), Domain: domain}
}

// overlay is what the templates of an overlay are filled with.
type overlay struct {
	app
	Env, Stage, Region, Namespace, Host, LogLevel, Digest string

	CPU, Memory, RateLimit              int // millicores, MiB, requests per second
	MinReplicas, MaxReplicas, Available int
}

// newOverlay returns the j-th environment of an application: four stages by
// five regions, then again with a number.
func newOverlay(a app, j int) overlay {
	stages := []string{"dev", "test", "staging", "prod"}
	regions := []string{"eu", "us", "ap", "sa", "af"}
	size := j % len(stages) // 0 is the smallest stage
	o := overlay{app: a, Stage: stages[size], Region: regions[j/len(stages)%len(regions)]}
	o.Env = numbered(o.Stage+"-"+o.Region, j/(len(stages)*len(regions)))
	o.Namespace = a.App + "-" + o.Env
	o.Host = o.Namespace + ".example.com"
	o.LogLevel = "info"
	if size == 0 {
		o.LogLevel = "debug"
	}
	o.Digest = imageDigest(a.App + o.Stage)
	o.CPU, o.Memory, o.RateLimit = 100*(size+1), 128*(size+1), 50*(size+1)
	o.MinReplicas, o.MaxReplicas, o.Available = size+2, 3*(size+2), size+1
	return o
}

// numbered appends a number from the second round of names on.
func numbered(name string, round int) string {
	if round == 0 {
		return name
	}
	return fmt.Sprintf("%s-%d", name, round+1)
}

func imageDigest(of string) string {
	sum := sha256.Sum256([]byte(of))
	return "sha256:" + hex.EncodeToString(sum[:])
}
