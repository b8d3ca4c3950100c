package cluster

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"

	"k8s.io/client-go/transport"
)

// wire is the last to see a request and the first to see its answer. It counts
// requests, and recognises that the account to impersonate was refused: discovery,
// which comes first, does not pass on what the server says.
type wire struct {
	next     http.RoundTripper
	requests *atomic.Int64
}

// RoundTrip implements [http.RoundTripper].
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.requests.Add(1)
	answer, err := w.next.RoundTrip(r)
	account := r.Header.Get(transport.ImpersonateUserHeader)
	if err != nil || account == "" || answer.StatusCode != http.StatusForbidden {
		return answer, err
	}
	return refused(answer, account)
}

// maxRefusal bounds what is read of a 403: the server's is one sentence.
const maxRefusal = 64 << 10

// impersonation matches how the API server refuses it, whatever the verb: since
// Kubernetes 1.35 there are finer ones than "impersonate" (KEP-5284).
var impersonation = regexp.MustCompile(`User \\?"([^"\\]*)\\?" cannot impersonate`)

// refused gives an error in place of an answer that refuses the impersonation,
// and any other answer as it was.
func refused(answer *http.Response, account string) (*http.Response, error) {
	said, err := io.ReadAll(io.LimitReader(answer.Body, maxRefusal))
	if err != nil {
		return answer, nil // whoever reads on meets the same error
	}
	if found := impersonation.FindSubmatch(said); found != nil {
		_ = answer.Body.Close()
		return nil, &refusedAccount{runner: string(found[1]), account: account}
	}
	rest := answer.Body
	answer.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(said), rest), rest}
	return answer, nil
}

// refusedAccount says that the runner may not act as an account.
type refusedAccount struct{ runner, account string }

// Error names both accounts, where the second is configured, and what the first
// would need.
func (r *refusedAccount) Error() string {
	resource, name, where := "users", r.account, ", by a ClusterRole"
	if rest, ok := strings.CutPrefix(r.account, "system:serviceaccount:"); ok {
		namespace, account, _ := strings.Cut(rest, ":")
		resource, name, where = "serviceaccounts", account, fmt.Sprintf(", by a Role in namespace %s", namespace)
	}
	return fmt.Sprintf("%s may not act as %s, which apply.impersonate asks for: grant it the verb impersonate on %s, resourceNames [%s]%s, or remove the setting",
		r.runner, r.account, resource, name, where)
}
