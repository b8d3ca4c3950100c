package secrets

import (
	"slices"
	"strings"
	"testing"
)

// The look at the last letters of a name passes whatever the expression does.
func TestMaybeCredential(t *testing.T) {
	ends := []string{"password", "passwd", "passphrase", "token", "secret", "credential", "credentials", "apikey", "api-key", "access_key", "private-key",
		"signing_key", "encryptionKey", "-pwd", ".pass", "aPwd", "0Pass", "pa\u017fsword", "api\u212aey", "to\u212aen", "db_pa\u017f\u017f", "key", "bass", "word", "", "x"}
	for _, end := range ends {
		for _, head := range []string{"", "a", "DB_", "x.", "\u00e9"} {
			for _, name := range []string{head + end, strings.ToUpper(head + end), head + end + "s", head + end + "Name"} {
				if credentialName.MatchString(name) && !(maybeCredential(name) && maybeCredential([]byte(name))) {
					t.Errorf("%q is ruled out", name)
				}
			}
		}
	}
}

// The fast look passes every text in which something could be found, and leaves
// out what only mentions the name of a credential.
func TestMayHoldCredential(t *testing.T) {
	for _, text := range []string{
		"password: hunter2\n", "password:\n  hunter2\n", "password: # new\n  hunter2\n", "password: true\n  story\n", "password: |\n  hunter2\n",
		"{\"password\":\n\"hunter2\"}", "a: {password: hunter2}\n", "password:\n- hunter2\n", "token: &a\n  b\n", "token: 0\n", "token: null",
		"- name: DB_PASSWORD\n  value: x\n", "- {\"value\": \"x\", \"name\": \"DB_PASSWORD\"}\n", "- path: /spec/adminPassword\n  ? value\n  : x\n",
		"args: [--api-token, x]\n", "run: mysql -px\n", "x: PGPASSWORD=x psql\n", "Authorization: Basic x\n", "- name: AUTHORIZATION\n  value: x\n", "aUtHoRiZaTiOn: x\n",
		"\"pass\\x77ord\": hunter2\n", "\"pass\\\\u0077ord\": hunter2\n", "pa\u017fsword: hunter2\n", "kind: ExternalSecret\na: {{ \"hunter2\" }}\n",
	} {
		if !mayHoldCredential("a.yaml", []byte(text)) {
			t.Errorf("%q is left out", text)
		}
	}
	for _, text := range []string{
		"automountServiceAccountToken: false\nrestartPolicy: x\n", "secret:\n  secretName: x\n", "password:\n  description: x\n", "credentials:\n- name: x\n",
		"- name: DB_PASSWORD\n  valueFrom: {}\n", "apiGroups: [rbac.authorization.k8s.io]\n", "apiVersion: authorization.openshift.io/v1\n", "\"caf\\u0065\": x\n", "passwordName: x\n",
	} {
		if mayHoldCredential("a.yaml", []byte(text)) {
			t.Errorf("%q is looked into", text)
		}
	}
}

// Headers are found in any case, each once.
func TestAuthorizations(t *testing.T) {
	text := "zZ Authorization: x\nAUTHORIZATION aUTHORIZATION authorizatio" + strings.Repeat("Z", 1<<20)
	if got := authorizations([]byte(text)); !slices.Equal(got, []int{3, 20, 34}) {
		t.Errorf("got %v", got)
	}
}
