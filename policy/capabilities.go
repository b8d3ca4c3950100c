package policy

import (
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// withheld returns the built-ins that policies may not call, and why. A policy
// can be part of the change under review, and verdicts are compared and cached:
// nothing may leave the process, read from it, or change from run to run.
func withheld() map[string]string {
	const (
		network = "a policy must not reach the network"
		machine = "a policy must not read the machine it runs on"
		clock   = "a verdict must not depend on the time of the run"
		chance  = "a verdict must not depend on chance"
		disk    = "a policy must not read files; give data with --data, or parse a string with parse_config or yaml.unmarshal"
	)
	return map[string]string{
		"http.send":                                 network,
		"net.lookup_ip_addr":                        network,
		"providers.aws.sign_req":                    network,
		"opa.runtime":                               machine,
		"json.match_schema":                         machine + " (a schema can refer to any file)",
		"json.verify_schema":                        machine + " (a schema can refer to any file)",
		"time.now_ns":                               clock,
		"io.jwt.decode_verify":                      clock,
		"rand.intn":                                 chance,
		"uuid.rfc4122":                              chance,
		"io.jwt.encode_sign":                        chance,
		"io.jwt.encode_sign_raw":                    chance,
		"parse_config_file":                         disk,
		"parse_combined_config_files":               disk,
		"crypto.x509.parse_and_verify_certificates": clock,
		"crypto.x509.parse_and_verify_certificates_with_options": clock,
	}
}

func whyAbsent(builtin string) string { return withheld()[builtin] }

// capabilities returns what policies may use: OPA's built-ins without those
// withheld and any other that OPA marks as not deterministic, plus
// parse_config.
func capabilities() *ast.Capabilities {
	caps := ast.CapabilitiesForThisVersion()
	absent := withheld()
	caps.Builtins = slices.DeleteFunc(caps.Builtins, func(b *ast.Builtin) bool {
		return absent[b.Name] != "" || b.Nondeterministic
	})
	caps.Builtins = append(caps.Builtins, parseConfigBuiltin())
	caps.AllowNet = []string{} // nil would allow every host
	return caps
}
