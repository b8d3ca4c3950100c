package validate

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// The embedded assets. validate/gen writes them and documents how; the tables
// are plain text, so that a change to them can be read.
//
//go:generate go run -C gen .
var (
	//go:embed schemas/kinds.txt
	kindsTable string
	//go:embed schemas/kubernetes.zst
	kubernetesFrame []byte
	//go:embed schemas/crds.txt
	crdsTable string
	//go:embed schemas/crds
	crdFrames embed.FS // a frame for each project
	//go:embed schemas/lifecycle.txt
	lifecycleTable string
)

// bundle is the embedded knowledge of the Kubernetes API and of popular custom
// resources. Kinds are named "apps/v1/Deployment" or "v1/Secret", and
// Kubernetes versions by their minor, "1.35". A bundle is safe for concurrent
// use. Nothing is decompressed before it is asked for.
type bundle struct {
	minors      []string
	patches     map[string]string // by minor
	columns     map[string]int    // by minor
	kinds       map[string][]string
	crds        map[string]crdEntry
	lifecycles  map[string]lifecycle
	definitions func() (map[string][]byte, error)
	projects    map[string]func() (map[string][]byte, error)
}

// crdEntry says where the schema of an embedded custom resource comes from.
type crdEntry struct {
	project    string // "cert-manager"
	version    string // "v1.21.2"
	deprecated bool
}

// lifecycle is what the API server knows of the age of an API version. Versions
// are minors, "1.25", empty where there is none.
type lifecycle struct {
	Introduced  string
	Deprecated  string
	Removed     string
	Replacement string // "apps/v1/Deployment"
}

// loadBundle reads the tables of the embedded bundle.
func loadBundle() (*bundle, error) {
	b := &bundle{
		definitions: sync.OnceValues(func() (map[string][]byte, error) { return readFrame(kubernetesFrame) }),
	}
	if err := b.readKinds(kindsTable); err != nil {
		return nil, err
	}
	if err := b.readCRDs(crdsTable); err != nil {
		return nil, err
	}
	return b, b.readLifecycles(lifecycleTable)
}

// readKinds reads "kind definition variant…" under a line of versions.
func (b *bundle) readKinds(table string) error {
	rows, err := readTable(table, 3)
	if err != nil || len(rows) == 0 {
		return fmt.Errorf("embedded kinds: %w", err)
	}
	header := rows[0][2:]
	b.patches, b.columns = map[string]string{}, map[string]int{}
	for i, patch := range header {
		minor := patch[:max(strings.LastIndexByte(patch, '.'), 0)]
		b.minors = append(b.minors, minor)
		b.patches[minor], b.columns[minor] = patch, i
	}
	b.kinds = make(map[string][]string, len(rows))
	for _, row := range rows[1:] {
		if len(row) != 2+len(header) {
			return fmt.Errorf("embedded kinds: %s has %d columns", row[0], len(row))
		}
		b.kinds[row[0]] = row[1:]
	}
	return nil
}

// readCRDs reads "kind project version [deprecated]".
func (b *bundle) readCRDs(table string) error {
	rows, err := readTable(table, 3)
	if err != nil {
		return fmt.Errorf("embedded custom resources: %w", err)
	}
	b.crds = make(map[string]crdEntry, len(rows))
	b.projects = map[string]func() (map[string][]byte, error){}
	for _, row := range rows {
		entry := crdEntry{project: row[1], version: row[2], deprecated: len(row) > 3}
		b.crds[row[0]] = entry
		b.projects[entry.project] = sync.OnceValues(func() (map[string][]byte, error) {
			frame, err := crdFrames.ReadFile("schemas/crds/" + entry.project + ".zst")
			if err != nil {
				return nil, fmt.Errorf("embedded schemas: %w", err)
			}
			return readFrame(frame)
		})
	}
	return nil
}

// readLifecycles reads "kind introduced deprecated removed replacement".
func (b *bundle) readLifecycles(table string) error {
	rows, err := readTable(table, 5)
	if err != nil {
		return fmt.Errorf("embedded life cycles: %w", err)
	}
	b.lifecycles = make(map[string]lifecycle, len(rows))
	for _, row := range rows {
		b.lifecycles[row[0]] = lifecycle{row[1], row[2], row[3], row[4]}
	}
	return nil
}

// readTable splits a table into rows of at least columns fields. "-" is an
// empty field.
func readTable(table string, columns int) ([][]string, error) {
	var rows [][]string
	for line := range strings.Lines(table) {
		row := strings.Fields(line)
		if len(row) < columns {
			return nil, fmt.Errorf("line %d has %d columns", len(rows)+1, len(row))
		}
		for i := range row {
			if row[i] == "-" {
				row[i] = ""
			}
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// readFrame decompresses lines of "name JSON" into the JSON by name.
func readFrame(frame []byte) (map[string][]byte, error) {
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, fmt.Errorf("embedded schemas: %w", err)
	}
	defer decoder.Close()
	data, err := decoder.DecodeAll(frame, nil)
	if err != nil {
		return nil, fmt.Errorf("embedded schemas: %w", err)
	}
	schemas := make(map[string][]byte, bytes.Count(data, []byte{'\n'}))
	for line := range bytes.Lines(data) {
		name, schema, _ := bytes.Cut(line, []byte{' '})
		schemas[string(name)] = schema
	}
	return schemas, nil
}

// versions lists the embedded Kubernetes versions, ascending: "1.29", "1.30", ….
func (b *bundle) versions() []string { return b.minors }

// patch is the release whose definitions stand for a minor version: "1.35.4".
// It is empty for a version that is not embedded.
func (b *bundle) patch(version string) string { return b.patches[version] }

// kind returns the name of the definition of a kind in a version of Kubernetes.
// ok is false if that version does not know the kind, or is not embedded.
//
// Versions in which the definition and all that it refers to are the same give
// the same name, so a verdict about one holds for the others.
func (b *bundle) kind(version, gvk string) (ref string, ok bool) {
	variant := b.variant(version, gvk)
	if variant == "" {
		return "", false
	}
	return b.kinds[gvk][0] + "@" + strings.TrimSuffix(variant, "!"), true
}

// optIn reports whether a version knows the kind but serves it only where an
// administrator switches it on: alpha APIs and, since 1.24, beta APIs (KEP-3136).
func (b *bundle) optIn(version, gvk string) bool {
	return strings.HasSuffix(b.variant(version, gvk), "!")
}

func (b *bundle) variant(version, gvk string) string {
	column, known := b.columns[version]
	row := b.kinds[gvk]
	if !known || row == nil {
		return ""
	}
	return row[1+column]
}

// definition returns a JSON Schema (draft 4) by the name that kind gave or that
// another definition refers to: every "$ref" is such a name, relative to the
// schema's own. Every call decodes a new value. ok is false for other names.
func (b *bundle) definition(name string) (schema any, ok bool, err error) {
	definitions, err := b.definitions()
	if err != nil {
		return nil, false, err
	}
	data, ok := definitions[name]
	if !ok {
		return nil, false, nil
	}
	schema, err = decodeSchema(name, data)
	return schema, err == nil, err
}

// crd returns the embedded schema of a custom resource, converted as those in a
// repository are, and the project and version that it comes from. It refers to
// no other schema.
func (b *bundle) crd(gvk string) (schema crdVersion, source string, ok bool, err error) {
	entry, ok := b.crds[gvk]
	if !ok {
		return crdVersion{}, "", false, nil
	}
	schemas, err := b.projects[entry.project]()
	if err != nil {
		return crdVersion{}, "", false, err
	}
	decoded, err := decodeSchema(gvk, schemas[gvk])
	if err != nil {
		return crdVersion{}, "", false, err
	}
	openAPI, _ := decoded.(map[string]any)
	apiVersion, kind := splitGVK(gvk)
	schema = newCRDVersion(openAPI, apiVersion, kind, true)
	schema.Deprecated = entry.deprecated
	return schema, entry.project + " " + entry.version, true, nil
}

// lifecycle returns when a built-in API version came, was deprecated and went.
// A list lives as long as what it lists. ok is false for a kind that is unknown
// or that the server says nothing about.
func (b *bundle) lifecycle(gvk string) (lifecycle, bool) {
	l, ok := b.lifecycles[gvk]
	if list := strings.TrimSuffix(gvk, "List"); !ok && list != gvk {
		if l, ok = b.lifecycles[list]; ok && l.Replacement != "" {
			l.Replacement += "List"
		}
	}
	return l, ok
}

// decodeSchema keeps numbers as they are written, as the schema compiler wants.
func decodeSchema(name string, data []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var schema any
	if err := decoder.Decode(&schema); err != nil {
		return nil, fmt.Errorf("embedded schema %s: %w", name, err)
	}
	return schema, nil
}
