package secrets

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"strings"
	"testing"
)

func gzipped(t *testing.T, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func zipped(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for name, text := range files {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// What a packed file hides is found, in base64 too; what is only packed is silent,
// and a file that unpacks to more than the bound is judged as far as that.
func TestPacked(t *testing.T) {
	url := "postgres://me:c4nary12@db.example/shop\n"
	manifest := "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {password: c4nary12}\n"
	for name, test := range map[string]struct {
		data []byte
		want int
	}{
		"gzip":            {gzipped(t, url), 1},
		"gzip, manifest":  {gzipped(t, manifest), 1},
		"gzip, base64":    {gzipped(t, base64.StdEncoding.EncodeToString([]byte(url))), 1},
		"zip":             {zipped(t, map[string]string{"a": "x", "b": url}), 1},
		"base64 of zip":   {[]byte(base64.StdEncoding.EncodeToString(zipped(t, map[string]string{"a": url}))), 1},
		"harmless gzip":   {gzipped(t, "https://db.example/shop\n"), 0},
		"harmless zip":    {zipped(t, map[string]string{"a": "password: ${PASSWORD}\n"}), 0},
		"broken gzip":     {gzipMagic, 0},
		"broken zip":      {zipMagic, 0},
		"broken bzip2":    {bzip2Magic, 0},
		"over the bound":  {gzipped(t, strings.Repeat(" ", maxUnpacked)+url), 0},
		"below the bound": {gzipped(t, strings.Repeat(" ", maxUnpacked-100)+url), 1},
	} {
		hits := scan(test.data)
		if len(hits) != test.want {
			t.Errorf("%s: %d hits, want %d", name, len(hits), test.want)
		}
		for _, h := range hits {
			if h.rule != rulePlaintext || strings.Contains(h.message, "c4nary") || h.to > len(test.data) {
				t.Errorf("%s: %v", name, h)
			}
		}
	}
}

// A token of a container registry is a credential, as its user and password are.
func TestRegistryToken(t *testing.T) {
	for text, want := range map[string]int{
		`{"auths":{"r.example":{"identitytoken":"c4nary12c4nary12"}}}`:  1,
		`{"auths":{"r.example":{"registrytoken":"c4nary12c4nary12"}}}`:  1,
		`{"auths":{"r.example":{"identitytoken":"${IDENTITY_TOKEN}"}}}`: 0,
	} {
		if got := len(scan([]byte(text))); got != want {
			t.Errorf("%s: %d hits, want %d", text, got, want)
		}
	}
}
