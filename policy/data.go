package policy

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/util"

	"github.com/sallyport/sallyport/finding"
)

// loadData mounts the data documents as OPA does for a directory of data: each
// below the path of its directory, objects merged, anything else a conflict.
func loadData(sources []Source) (storage.Store, error) {
	// What conftest gives to policies about a document on its standard input.
	root := map[string]any{"conftest": map[string]any{"file": map[string]any{"name": "-", "dir": "."}}}
	for _, src := range sources {
		var doc any
		if err := util.Unmarshal(src.Data, &doc); err != nil {
			return nil, dataError(src, err)
		}
		if doc == nil {
			continue
		}
		mounted, ok := mount(src.Mount, doc)
		if !ok {
			return nil, fileError(src, "data at the root must be an object")
		}
		if _, clash := mounted[reserved]; clash {
			return nil, fileError(src, "data.%s is reserved for the bundled rules", reserved)
		}
		if key, ok := merge(root, mounted); !ok {
			return nil, fileError(src, "data.%s is also set by another file", key)
		}
	}
	return inmem.NewFromObjectWithOpts(root, inmem.OptRoundTripOnWrite(false), inmem.OptReturnASTValuesOnRead(true)), nil
}

// mount wraps doc in an object for each directory of path.
func mount(path string, doc any) (map[string]any, bool) {
	if path = strings.Trim(path, "/"); path != "" && path != "." {
		names := strings.Split(path, "/")
		for i := len(names) - 1; i >= 0; i-- {
			doc = map[string]any{names[i]: doc}
		}
	}
	object, ok := doc.(map[string]any)
	return object, ok
}

// merge adds from to into. It returns the dotted path of the first key that
// both set and at least one sets to something other than an object.
func merge(into, from map[string]any) (conflict string, ok bool) {
	for _, key := range util.KeysSorted(from) {
		old, exists := into[key]
		if !exists {
			into[key] = from[key]
			continue
		}
		a, isObject := old.(map[string]any)
		b, areObjects := from[key].(map[string]any)
		if !isObject || !areObjects {
			return key, false
		}
		if conflict, ok := merge(a, b); !ok {
			return key + "." + conflict, false
		}
	}
	return "", true
}

func fileError(src Source, format string, args ...any) error {
	return &ConfigError{Span: finding.Span{File: src.Path}, Message: fmt.Sprintf(format, args...)}
}

var errorLine = regexp.MustCompile(`\bline (\d+)`)

// dataError says that a file does not parse, and the line where that is known.
// The parser's own words could quote the file.
func dataError(src Source, err error) error {
	at := finding.Span{File: src.Path}
	if m := errorLine.FindStringSubmatch(err.Error()); m != nil {
		line, _ := strconv.Atoi(m[1])
		at.Start = finding.Position{Line: max(1, line), Column: 1}
		at.End = finding.Position{Line: max(1, line), Column: 2}
	}
	return &ConfigError{Span: at, Message: "data is neither valid JSON nor valid YAML"}
}
