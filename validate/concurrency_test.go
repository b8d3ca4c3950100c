package validate

import (
	"reflect"
	"sync"
	"testing"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/render"
)

// TestConcurrentChecks lets eight workers share a fresh validator, five
// times: each must get what a single worker gets.
func TestConcurrentChecks(t *testing.T) {
	tree := memory{"crds/widget.yaml": widgetCRDWith("wheels")}
	var rendered []*render.Rendered
	for _, text := range []string{
		deployment + "  replica: 1\n", widget, "{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {a: '!', b: '?'}}",
		"{apiVersion: cert-manager.io/v1, kind: Issuer, metadata: {name: a}, spec: {a: b, c: d}}",
		"{apiVersion: batch/v1beta1, kind: CronJob, metadata: {name: a}}", "{apiVersion: example.com/v1, kind: Gadget, metadata: {name: a}}",
	} {
		value := decode(t, text)
		o := &render.Object{Value: value}
		o.Object = finding.Object{APIVersion: value["apiVersion"].(string), Kind: value["kind"].(string), Name: "a"}
		rendered = append(rendered, &render.Rendered{Objects: []*render.Object{o}})
	}
	opts := Options{Versions: []string{"1.29", "1.33", "1.36"}}
	checkAll := func(v *Validator) (out []Result) {
		for _, r := range rendered {
			result, err := v.Check(t.Context(), r)
			if err != nil {
				t.Error(err)
			}
			out = append(out, result)
		}
		return out
	}
	newValidator := func() *Validator {
		v, err := New(tree, opts)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	want := checkAll(newValidator())
	for range 5 {
		v := newValidator()
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				if got := checkAll(v); !reflect.DeepEqual(got, want) {
					t.Errorf("got %+v\nwant %+v", got, want)
				}
			})
		}
		group.Wait()
	}
}
