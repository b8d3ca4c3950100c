package decrypt

import (
	"errors"
	"io"
	"path"
	"strings"

	"github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/config"
	"github.com/getsops/sops/v3/logging"
	"github.com/getsops/sops/v3/stores/dotenv"
	"github.com/getsops/sops/v3/stores/ini"
	"github.com/getsops/sops/v3/stores/json"
	"github.com/getsops/sops/v3/stores/yaml"

	"github.com/sallyport/sallyport/secrets"
	"github.com/sallyport/sallyport/source"
)

// A layout is how sops reads and prints one format.
type layout struct {
	format     secrets.Format
	store      sops.Store
	parsesYAML bool // or JSON: a parser that hostile nesting can hurt
}

// layoutOf follows the seal, and the name of the file where the text alone does
// not say how sops wrote it: as sops does, JSON in a file called .yaml is YAML,
// and a file called .json is never binary.
func layoutOf(file string, format secrets.Format) layout {
	switch ext := path.Ext(file); {
	case (format == secrets.JSON || format == secrets.Binary) && (ext == ".yaml" || ext == ".yml"):
		format = secrets.YAML
	case format == secrets.Binary && ext == ".json":
		format = secrets.JSON
	}
	l := layout{format: format, parsesYAML: true}
	switch format {
	case secrets.JSON:
		l.store = json.NewStore(&config.JSONStoreConfig{Indent: -1}) // a tab, as sops decrypt prints
	case secrets.Binary:
		l.store = json.NewBinaryStore(&config.JSONBinaryStoreConfig{Indent: -1})
	case secrets.Dotenv:
		l.store, l.parsesYAML = dotenv.NewStore(&config.DotenvStoreConfig{}), false
	case secrets.INI:
		l.store, l.parsesYAML = ini.NewStore(&config.INIStoreConfig{}), false
	default:
		l.store = yaml.NewStore(&config.YAMLStoreConfig{})
	}
	return l
}

var errDocuments = errors.New("sops and the seal count different documents")

// documents says what the seal calls the documents of a file, in sops' order:
// documents without content do not count.
func (l layout) documents(file string, data []byte) ([]int, error) {
	branches, err := l.store.LoadPlainFile(data)
	if err != nil {
		return nil, errDocuments // sops' own quotes lines
	}
	if l.format == secrets.Binary {
		return []int{0}, nil
	}
	docs, n := make([]int, len(branches)), 0
	for i, branch := range branches {
		docs[i] = n
		if hasContent(branch) {
			n++
		}
	}
	if !l.parsesYAML {
		return docs, nil
	}
	f, err := source.Parse(file, data)
	switch {
	case err != nil:
		return nil, errDocuments
	case len(f.Docs) == len(branches):
		for i := range docs {
			docs[i] = i
		}
	case len(f.Docs) != n:
		return nil, errDocuments
	}
	return docs, nil
}

func hasContent(branch sops.TreeBranch) bool {
	for _, item := range branch {
		if _, ok := item.Key.(sops.Comment); !ok {
			return true
		}
	}
	return false
}

// line is a value as a decrypted file has it in its line: a generator that reads
// a dotenv file gets line breaks as sops writes them, \n.
func (l layout) line(text string) string {
	if l.format != secrets.Dotenv {
		return text
	}
	return strings.TrimSuffix(strings.ReplaceAll(text, "\n", `\n`), "\r")
}

// quiet keeps sops from logging: it quotes comments that are not encrypted. The
// loggers are sops' own; nothing else in the program uses them.
func quiet() {
	for _, logger := range logging.Loggers {
		logger.SetOutput(io.Discard)
	}
}
