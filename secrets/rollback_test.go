package secrets

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/repo"
)

// encNumber is a well-formed ciphertext that no other number has.
func encNumber(n int) string {
	b64 := func(size int) string {
		return base64.StdEncoding.EncodeToString([]byte(fmt.Sprintf("%0*d", size, n)))
	}
	return fmt.Sprintf("ENC[AES256_GCM,data:%s,iv:%s,tag:%s,type:str]", b64(6), b64(ivSize), b64(tagSize))
}

// generation is an encrypted Secret as sops would have written it on a day, with
// a value that changes and one that stays.
func generation(value, mac, day int) string {
	text := exampleSecret(encNumber(value)+"\n  user: "+encNumber(1000), exampleBlock())
	text = strings.Replace(text, lineOf(text, "  mac: "), "  mac: "+encNumber(mac)+"\n", 1)
	return strings.Replace(text, "2026-01-01", fmt.Sprintf("2026-01-%02d", day), 1)
}

// rolledBack checks the tree on disk against HEAD.
func (h history) rolledBack(files map[string]string) []finding.Finding {
	h.t.Helper()
	ctx := context.Background()
	snap, err := repo.Open(ctx, h.dir, repo.Selector{Rev: "HEAD"})
	if err != nil {
		h.t.Fatal(err)
	}
	now := memTree{}
	for _, e := range snap.Files() {
		data, err := snap.ReadFile(e.Path)
		if err != nil {
			h.t.Fatal(err)
		}
		now[e.Path] = string(data)
	}
	for path, text := range files {
		if now[path] = text; text == "" {
			delete(now, path)
		}
	}
	base, err := Seal(ctx, snap)
	if err != nil {
		h.t.Fatal(err)
	}
	found, err := seal(h.t, now).CheckRollback(ctx, base, snap)
	if err != nil {
		h.t.Fatal(err)
	}
	return found
}

// An old ciphertext is found under a new time and beside any mac; what honest
// people do with files is silent.
func TestRollback(t *testing.T) {
	h := newHistory(t)
	for i := 1; i <= 3; i++ {
		h.commit(map[string]string{"a.yaml": generation(i, 10+i, i), "b.yaml": generation(20+i, 30+i, i)})
	}
	gone := func(value, mac, day int) string {
		return strings.ReplaceAll(generation(value, mac, day), encNumber(1000), encNumber(1002))
	}
	h.commit(map[string]string{"gone.yaml": gone(41, 51, 1)})
	h.commit(map[string]string{"gone.yaml": gone(42, 52, 2)})
	h.commit(map[string]string{"gone.yaml": ""})
	for _, test := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"nothing", nil, ""},
		{"a new value", map[string]string{"a.yaml": generation(4, 14, 4)}, ""},
		{"encrypted anew", map[string]string{"a.yaml": strings.ReplaceAll(generation(4, 14, 4), encNumber(1000), encNumber(1001))}, ""},
		{"an old value", map[string]string{"a.yaml": generation(1, 14, 4)}, "a.yaml /stringData/password of commit"},
		{"an old value and its mac", map[string]string{"a.yaml": generation(2, 12, 4)}, "a.yaml /stringData/password of commit"},
		{"another type", map[string]string{"a.yaml": strings.Replace(generation(2, 14, 4), "type:str", "type:int", 1)}, "a.yaml /stringData/password of commit"},
		{"an old mac alone", map[string]string{"a.yaml": generation(4, 11, 4)}, "a.yaml  of commit"},
		{"the old file, which Compare reports", map[string]string{"a.yaml": generation(1, 11, 1)}, ""},
		{"the old value alone, which Compare reports", map[string]string{"a.yaml": generation(1, 13, 3)}, ""},
		{"moved", map[string]string{"a.yaml": "", "c.yaml": generation(3, 13, 3)}, ""},
		{"moved and put back", map[string]string{"a.yaml": "", "c.yaml": generation(1, 11, 1)}, "c.yaml /stringData/password of a.yaml in commit"},
		{"swapped", map[string]string{"a.yaml": generation(23, 33, 4), "b.yaml": generation(3, 13, 4)}, ""},
		{"deleted", map[string]string{"a.yaml": ""}, ""},
		{"comes back as it was last", map[string]string{"gone.yaml": gone(42, 52, 2)}, ""},
		{"comes back as it was before", map[string]string{"gone.yaml": gone(41, 51, 3)}, "gone.yaml /stringData/password of commit"},
	} {
		t.Run(test.name, func(t *testing.T) {
			found := h.rolledBack(test.files)
			if test.want == "" {
				if len(found) > 0 {
					t.Errorf("got %v", found)
				}
				return
			}
			if len(found) != 1 {
				t.Fatalf("got %v", found)
			}
			f := found[0]
			where, _, _ := strings.Cut(test.want, " of ")
			if got := f.Location.File + " " + f.Pointer; got != where || f.Rule != ruleRollback || f.Severity != finding.Error {
				t.Errorf("got %s %v, want %s", got, f, where)
			}
			if !strings.Contains(f.Message, "git revert") || strings.Contains(f.Message, "of a.yaml") != strings.Contains(test.want, "of a.yaml") {
				t.Errorf("the message is %q", f.Message)
			}
		})
	}
}

// A shallow clone is judged by what it holds.
func TestRollbackShallow(t *testing.T) {
	h := newHistory(t)
	for i := 1; i <= 3; i++ {
		h.commit(map[string]string{"a.yaml": generation(i, 10+i, i)})
	}
	parent := t.TempDir()
	h.git("", "clone", "-q", "--depth=2", "file://"+h.dir, parent+"/clone")
	h.dir = parent + "/clone"
	if found := h.rolledBack(map[string]string{"a.yaml": generation(2, 14, 4)}); len(found) != 1 {
		t.Errorf("within the clone: got %v", found)
	}
	if found := h.rolledBack(map[string]string{"a.yaml": generation(1, 14, 4)}); len(found) > 0 {
		t.Errorf("before it: got %v", found)
	}
}
