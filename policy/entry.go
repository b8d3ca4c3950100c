package policy

import (
	"fmt"
	"slices"
	"strings"
)

// entryPackage is the package of the generated module. No source can add to it,
// since its first name is reserved.
const entryPackage = reserved + ".entry"

// entryPoint writes the module that asks every verdict in one query. Its value
// is an object of two sets:
//
//	results:    [number of the verdict, its value], without empty sets
//	exceptions: [namespace, name of the rule that is lifted]
//
// A verdict without a value is absent rather than the end of the query.
func entryPoint(verdicts []verdict) (module, error) {
	var text strings.Builder
	fmt.Fprintf(&text, "package %s\n\n", entryPackage)
	for i, v := range verdicts {
		fmt.Fprintf(&text, "results contains [%d, value] if {\n\tvalue := %s\n\tvalue != set()\n}\n\n", i, v.ref)
	}
	for _, ns := range exceptedNamespaces(verdicts) {
		fmt.Fprintf(&text, "exceptions contains [%q, name] if name := data.%s.%s[_][_]\n\n", ns, ns, exceptionName)
	}
	m, err := parse(bundledName+"entry.rego", []byte(text.String()))
	if err != nil {
		return module{}, fmt.Errorf("policy entry point: %w", err)
	}
	return m, nil
}

func exceptedNamespaces(verdicts []verdict) []string {
	var out []string
	for _, v := range verdicts {
		if v.excepted && !v.bundled {
			out = append(out, v.namespace)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
