package finding

import (
	"encoding/json"
	"reflect"
	"testing"
)

func at(file string, line int) Span {
	return Span{File: file, Start: Position{line, 1}, End: Position{line, 2}}
}

func TestMerge(t *testing.T) {
	web := &Object{Kind: "Deployment", Namespace: "prod", Name: "web"}
	staging := &Object{Kind: "Deployment", Namespace: "staging", Name: "web"}
	in := []Finding{
		{Rule: "b", Severity: Warning, Message: "m", Location: at("z.yaml", 1), Targets: []string{"z"}},
		{Rule: "a", Severity: Warning, Message: "m", Object: staging, Location: at("a.yaml", 7), Targets: []string{"staging"}},
		{Rule: "a", Severity: Error, Message: "m", Object: web, Location: at("a.yaml", 7), Targets: []string{"prod"}},
		{Rule: "a", Severity: Error, Message: "m", Location: at("a.yaml", 9), Targets: []string{"prod", "prod"}},
		{Rule: "a", Severity: Error, Message: "m", Unplaced: "why", Targets: []string{"one"}},
		{Rule: "a", Severity: Error, Message: "m", Unplaced: "why", Targets: []string{"two"}},
	}
	got := Merge(in)
	if len(got) != 5 {
		t.Fatalf("%d findings, want 5: one line of a base is one finding, findings without a place stay apart", len(got))
	}
	joined := got[2]
	if joined.Severity != Error || !reflect.DeepEqual(joined.Targets, []string{"prod", "staging"}) || joined.Object.Namespace != "prod" {
		t.Errorf("joined: %+v", joined)
	}
	prints := map[string]bool{}
	for _, f := range got {
		if f.Fingerprint == "" || prints[f.Fingerprint] {
			t.Errorf("fingerprint %q of %s is empty or used twice", f.Fingerprint, f.Location)
		}
		prints[f.Fingerprint] = true
	}
	for i, j := 0, len(in)-1; i < j; i, j = i+1, j-1 {
		in[i], in[j] = in[j], in[i]
	}
	if again := Merge(in); !reflect.DeepEqual(again, got) {
		t.Error("the order of the input shows in the output")
	}
}

// TestFingerprintSurvivesEdits holds that lines above a finding may move it.
func TestFingerprintSurvivesEdits(t *testing.T) {
	before := Merge([]Finding{{Rule: "a", Message: "m", Pointer: "/x", Location: at("a.yaml", 7)}})
	after := Merge([]Finding{{Rule: "a", Message: "m", Pointer: "/x", Location: at("a.yaml", 70)}})
	if before[0].Fingerprint != after[0].Fingerprint {
		t.Error("the fingerprint changed with the line")
	}
}

func TestSeverityText(t *testing.T) {
	for text, want := range map[string]Severity{"error": Error, "warning": Warning} {
		var got Severity
		if err := json.Unmarshal([]byte(`"`+text+`"`), &got); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	if err := new(Severity).UnmarshalText([]byte("fatal")); err == nil {
		t.Error("fatal is accepted")
	}
}

func TestStrings(t *testing.T) {
	for want, got := range map[string]string{
		"a.yaml:7:1": at("a.yaml", 7).String(), "a.yaml": Span{File: "a.yaml"}.String(), "": Span{}.String(),
		"Pod shop/web": Object{Kind: "Pod", Namespace: "shop", Name: "web"}.String(), "Node n": Object{Kind: "Node", Name: "n"}.String(),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
