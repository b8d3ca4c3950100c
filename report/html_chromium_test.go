package report_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// browserPatience is how long a browser may be silent before it counts as hung.
const browserPatience = 2 * time.Minute

// browser is a headless Chromium, driven over the DevTools protocol by a pipe:
// file descriptors 3 and 4, messages that end in NUL. It has no network.
type browser struct {
	t       *testing.T
	in      io.Writer
	out     *bufio.Reader
	last    int
	session string
	events  []event // since the last open
}

type event struct {
	Method string
	Params json.RawMessage
}

// newBrowser starts Chromium with an empty profile and opens one page.
func newBrowser(t *testing.T) *browser {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a browser")
	}
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			program = found
			break
		}
	}
	if program == "" {
		t.Skip("no Chromium in PATH: the page is not tested in a browser")
	}
	ctx, cancel := context.WithTimeout(context.Background(), browserPatience)
	cmd := exec.CommandContext(ctx, program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--proxy-server=127.0.0.1:9",
		"--remote-debugging-pipe", "--user-data-dir="+t.TempDir(), "about:blank")
	theirIn, ourOut := pipe(t)
	ourIn, theirOut := pipe(t)
	cmd.ExtraFiles = []*os.File{theirIn, theirOut}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirIn.Close()
	theirOut.Close()
	b := &browser{t: t, in: ourOut, out: bufio.NewReader(ourIn)}
	t.Cleanup(func() {
		b.session = ""
		b.send("Browser.close", nil)
		cmd.Wait() // so that the profile can be removed
		cancel()
	})
	var target struct{ TargetID string }
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	b.session = attached.SessionID
	for _, domain := range []string{"Page", "Runtime", "Log", "Network", "DOM", "CSS"} {
		b.call(domain+".enable", nil, nil)
	}
	b.call("Page.addScriptToEvaluateOnNewDocument", map[string]any{"source": `
		window.violations = [];
		addEventListener('securitypolicyviolation', e => window.violations.push(e.violatedDirective + ' ' + e.blockedURI + ' ' + e.sample), true);
		for (const f of ['alert', 'confirm', 'prompt', 'open']) window[f] = () => { window.pwned = f; };`}, nil)
	return b
}

func pipe(t *testing.T) (*os.File, *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

func (b *browser) send(method string, params any) {
	b.last++
	message := map[string]any{"id": b.last, "method": method}
	if params != nil {
		message["params"] = params
	}
	if b.session != "" {
		message["sessionId"] = b.session
	}
	data, err := json.Marshal(message)
	if err != nil {
		b.t.Fatal(err)
	}
	b.in.Write(append(data, 0))
}

// call sends a command and waits for its answer; events go to b.events.
func (b *browser) call(method string, params, into any) {
	b.t.Helper()
	b.send(method, params)
	for {
		data, err := b.out.ReadBytes(0)
		if err != nil {
			b.t.Fatalf("%s: the browser is gone: %v", method, err)
		}
		var message struct {
			ID     int
			Result json.RawMessage
			Error  *struct{ Message string }
			event
		}
		if err := json.Unmarshal(data[:len(data)-1], &message); err != nil {
			b.t.Fatal(err)
		}
		switch {
		case message.ID == 0:
			b.events = append(b.events, message.event)
		case message.ID != b.last:
		case message.Error != nil:
			b.t.Fatalf("%s: %s", method, message.Error.Message)
		default:
			if into != nil {
				if err := json.Unmarshal(message.Result, into); err != nil {
					b.t.Fatal(err)
				}
			}
			return
		}
	}
}

// eval returns what an expression is, as JSON.
func (b *browser) eval(expression string, into any) {
	b.t.Helper()
	var answer struct {
		Result struct {
			Value       json.RawMessage
			Description string
		}
		ExceptionDetails *struct{ Exception struct{ Description string } }
	}
	b.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true, "awaitPromise": true}, &answer)
	if answer.ExceptionDetails != nil {
		b.t.Fatalf("%s: %s", expression, answer.ExceptionDetails.Exception.Description)
	}
	if into != nil && len(answer.Result.Value) > 0 {
		if err := json.Unmarshal(answer.Result.Value, into); err != nil {
			b.t.Fatalf("%s: %v", expression, err)
		}
	}
}

func (b *browser) text(expression string) string {
	b.t.Helper()
	var s string
	b.eval("String("+expression+")", &s)
	return s
}

// view sets the size of the window and the reader's theme.
func (b *browser) view(width, height int, theme string) {
	b.t.Helper()
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}, nil)
	b.call("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": theme}, {"name": "prefers-reduced-motion", "value": "reduce"}}}, nil)
}

// open writes a page to a file and opens it there.
func (b *browser) open(page, fragment string) {
	b.t.Helper()
	file := filepath.Join(b.t.TempDir(), "page.html")
	if err := os.WriteFile(file, []byte(page), 0o600); err != nil {
		b.t.Fatal(err)
	}
	b.events = nil
	b.call("Page.navigate", map[string]any{"url": "file://" + file + fragment}, nil)
	for b.text("document.readyState + ' ' + location.protocol") != "complete file:" {
	}
}

// until waits for a condition in the page; the browser's patience ends it.
func (b *browser) until(condition string) {
	b.t.Helper()
	b.eval(fmt.Sprintf(`new Promise((done, fail) => {
		const end = Date.now() + 20000;
		(function look() { if (%s) done(); else if (Date.now() > end) fail(new Error('never: ' + document.getElementById('status')?.textContent)); else setTimeout(look, 10); })();
	})`, condition), nil)
}

// key presses a key.
func (b *browser) key(name string, code int) {
	b.t.Helper()
	for _, kind := range []string{"rawKeyDown", "keyUp"} {
		b.call("Input.dispatchKeyEvent", map[string]any{"type": kind, "key": name, "code": name, "windowsVirtualKeyCode": code}, nil)
	}
}

// quiet holds that a page caused no error, no violation of its policy and no
// request but the one for itself, and that no script but ours ran.
func (b *browser) quiet(what string) {
	b.t.Helper()
	if got := b.text("[window.pwned, ...window.violations].join(' ')"); got != "" {
		b.t.Errorf("%s: a script ran or the policy was violated: %s", what, got)
	}
	for _, e := range b.events {
		switch e.Method {
		case "Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded":
			b.t.Errorf("%s: %s %s", what, e.Method, e.Params)
		case "Network.requestWillBeSent":
			var sent struct {
				Request struct{ URL string }
			}
			if err := json.Unmarshal(e.Params, &sent); err != nil {
				b.t.Fatal(err)
			}
			if !strings.HasPrefix(sent.Request.URL, "file://") || !strings.Contains(sent.Request.URL, "/page.html") {
				b.t.Errorf("%s: asks for %s", what, sent.Request.URL)
			}
		}
	}
}
