package secrets

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/source"
)

// credentialName fits the names of settings that hold a credential.
var credentialName = regexp.MustCompile(`(?i)(?:password|passwd|passphrase|token|secret|credentials?|(?:api|access|secret|private|encryption|signing)[-_]?key|[-_](?:pwd|pass))$`)

// mayHoldEnv is a fast look for an env entry named like a credential: the value
// of a key name that is such a name.
func mayHoldEnv(data []byte) bool {
	if !bytes.Contains(data, []byte("env")) || !bytes.Contains(data, []byte("value")) {
		return false
	}
	for at := 0; ; {
		i := bytes.Index(data[at:], []byte("name"))
		if i < 0 {
			return false
		}
		at += i + len("name")
		if name := nameAfter(data[at:min(at+maxEnvName, len(data))]); len(name) > 0 && credentialName.Match(name) {
			return true
		}
	}
}

// maxEnvName is the longest line that is looked at for a variable's name.
const maxEnvName = 128

// nameAfter returns the word that follows a key, "" where no colon does.
func nameAfter(rest []byte) []byte {
	rest = bytes.TrimLeft(bytes.TrimLeft(rest, `"'`), " \t")
	if len(rest) == 0 || rest[0] != ':' {
		return nil
	}
	rest = bytes.TrimLeft(rest[1:], " \t\"'")
	end := 0
	for end < len(rest) && (isAlnum(rest[end]) || rest[end] == '_' || rest[end] == '-' || rest[end] == '.') {
		end++
	}
	return rest[:end]
}

// scanEnv finds container environment variables that are named like a
// credential and have a literal value.
func scanEnv(f *source.File) []finding.Finding {
	e := &envScan{file: f}
	for _, doc := range f.Docs {
		e.object = nil
		e.walk(doc.Root, nil)
	}
	return e.out
}

type envScan struct {
	file   *source.File
	object *finding.Object
	at     []string // tokens of object
	out    []finding.Finding
	nodes  []*yaml.Node
}

func (e *envScan) walk(n *yaml.Node, tokens []string) {
	switch n.Kind {
	case yaml.SequenceNode:
		for i, item := range n.Content {
			e.walk(item, with(tokens, fmt.Sprint(i)))
		}
	case yaml.MappingNode:
		outer, at := e.object, e.at
		if kind := getText(n, "kind"); kind != "" && get(n, "metadata") != nil {
			metadata := get(n, "metadata")
			e.at = tokens
			e.object = &finding.Object{
				APIVersion: getText(n, "apiVersion"), Kind: kind,
				Namespace: getText(metadata, "namespace"), Name: getText(metadata, "name"),
			}
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, value := n.Content[i].Value, n.Content[i+1]
			if key == "env" && value.Kind == yaml.SequenceNode {
				e.entries(value, with(tokens, key))
				continue
			}
			e.walk(value, with(tokens, key))
		}
		e.object, e.at = outer, at
	}
}

func (e *envScan) entries(list *yaml.Node, tokens []string) {
	for i, entry := range list.Content {
		name, v := getText(entry, "name"), get(entry, "value")
		if v == nil || !credentialName.MatchString(name) {
			continue
		}
		if v = deref(v); v.Kind != yaml.ScalarNode || isHarmless(name, v) {
			continue
		}
		pointer := source.Pointer(with(with(tokens, fmt.Sprint(i)), "value")[len(e.at):]...)
		e.nodes = append(e.nodes, v)
		e.out = append(e.out, finding.Finding{
			Rule: rulePlaintext, Severity: finding.Error, Object: e.object, Pointer: pointer, Location: e.file.Span(v),
			Message: fmt.Sprintf("environment variable %q holds a literal credential", name),
			Help:    "put the value into an encrypted Secret and use valueFrom.secretKeyRef; rotate it if it was pushed",
		})
	}
}

var secretName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]*$`)

// isHarmless reports whether a variable named like a credential holds none: a
// reference, a stand-in, a switch, a path, an address, or the name of a Secret.
func isHarmless(name string, v *yaml.Node) bool {
	text := strings.TrimSpace(v.Value)
	switch {
	case v.Tag == "!!bool", v.Tag == "!!null", IsReference(text), isSample(text):
		return true
	case strings.HasPrefix(text, "/"), strings.HasPrefix(text, "./"), strings.HasPrefix(text, "../"), strings.HasPrefix(text, "file:"):
		return true
	case strings.Contains(text, "://"):
		return len(scanURLs([]byte(text))) == 0
	case strings.HasSuffix(strings.ToLower(name), "secret") && strings.Contains(text, "-"):
		return secretName.MatchString(text) && (strings.HasSuffix(text, "-secret") || strings.HasSuffix(text, "-tls") || strings.HasSuffix(text, "-credentials"))
	}
	return false
}

// envValues returns the scalars that scanEnv finds, to be masked.
func envValues(path string, data []byte) []*yaml.Node {
	if !mayHoldEnv(data) {
		return nil
	}
	f, err := source.Parse(path, data)
	if err != nil {
		return nil
	}
	e := &envScan{file: f}
	for _, doc := range f.Docs {
		e.walk(doc.Root, nil)
	}
	return e.nodes
}
