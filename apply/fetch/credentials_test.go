package fetch_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/apply/fetch"
)

func TestURLs(t *testing.T) {
	for url, why := range map[string]string{
		"": "empty", "http://git.example.com/x": "use https", "git://git.example.com/x": "neither", "ext::sh -c x": "blank",
		"https://user:" + canary + "@git.example.com/x": "holds a password", "https://" + canary + "%zz/x": "cannot be parsed",
		"https://git.example.com/x?token=" + canary: "query", "https://git.example.com": "host and a path", "file://host/x": "absolute path",
		"file://x": "absolute path", "/srv/x": "neither", "git@git.example.com:-x": "hyphen", "ssh://-oProxyCommand=x/y": "hyphen",
		"ext::x": "", "ftp://" + canary + "@x/y": "neither", "https://git.example.com/a\nb": "control",
	} {
		err := refused(t, fetch.Options{URL: url, Mirror: t.TempDir()})
		if !strings.Contains(err.Error(), why) || why != "" && !errors.Is(err, fetch.ErrURL) {
			t.Errorf("%q: %v, want: %s", url, err, why)
		}
	}
}

// A refused password is neither in the error, nor in what a server says of it.
func TestHTTPSCredentials(t *testing.T) {
	o := newOrigin(t)
	opts := o.web(nil)
	good := opts.HTTPS
	opts.HTTPS.PasswordFile = file(t, canary+"-wrong\n")
	err := refused(t, opts)
	if !errors.Is(err, fetch.ErrAuth) || !strings.Contains(err.Error(), opts.HTTPS.PasswordFile) {
		t.Error(err)
	}
	opts.HTTPS.PasswordFile = ""
	if err := refused(t, opts); !errors.Is(err, fetch.ErrAuth) || !strings.Contains(err.Error(), "none are configured") {
		t.Error(err)
	}
	opts.HTTPS.PasswordFile = file(t, canary+"\n"+canary)
	if err := refused(t, opts); !errors.Is(err, fetch.ErrCredentials) || !strings.Contains(err.Error(), "more than one line") {
		t.Error(err)
	}
	opts.HTTPS.PasswordFile = filepath.Join(t.TempDir(), "gone")
	if err := refused(t, opts); !errors.Is(err, fetch.ErrCredentials) || !strings.Contains(err.Error(), "no such file") {
		t.Error(err)
	}
	opts.HTTPS = good
	must(t, os.WriteFile(good.PasswordFile, []byte("rotated"), 0o600))
	if err := refused(t, opts); !errors.Is(err, fetch.ErrAuth) {
		t.Error(err)
	}
	must(t, os.WriteFile(good.PasswordFile, []byte(canary), 0o600))
	open(t, opts).Close()
	opts.HTTPS.CAFile = ""
	if err := refused(t, opts); !strings.Contains(err.Error(), "certificate") {
		t.Error(err)
	}
	opts.HTTPS.CAFile = file(t, canary)
	if err := refused(t, opts); !errors.Is(err, fetch.ErrCredentials) {
		t.Error(err)
	}
}

// Whatever a server answers, the credentials are not in the error, nor do they
// reach another host.
func TestTalkativeServer(t *testing.T) {
	o := newOrigin(t)
	reached := ""
	other := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { reached = r.Header.Get("Authorization") + "reached" }))
	defer other.Close()
	echo := func(w http.ResponseWriter, r *http.Request) {
		_, password, _ := r.BasicAuth()
		_, _ = w.Write([]byte("0032ERR " + password + " " + r.Header.Get("Authorization") + "\n"))
	}
	for name, answer := range map[string]http.HandlerFunc{
		"error 500": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(500)
			echo(w, r)
		},
		"error 403": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(403)
			echo(w, r)
		},
		"error 404": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(404)
			echo(w, r)
		},
		"protocol error": echo,
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL+r.URL.String(), http.StatusFound)
		},
		"empty": func(http.ResponseWriter, *http.Request) {},
		"endless": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write([]byte("003ebbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb refs/heads/aaaaaaaa\n")); err != nil {
					return
				}
			}
		},
	} {
		opts := o.web(func(http.Handler) http.Handler { return answer })
		opts.MaxSize = 1 << 20
		err := refused(t, opts)
		if errors.Unwrap(err) != nil && errors.Unwrap(errors.Unwrap(err)) != nil {
			t.Errorf("%s: a foreign error can be unwrapped: %v", name, err)
		}
		t.Logf("%s: %v", name, err)
	}
	if reached != "" {
		t.Error("another host was asked: " + reached)
	}
}
