package validate

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/yannh/kubeconform/pkg/cache"
	kubeconform "github.com/yannh/kubeconform/pkg/loader"
	"github.com/yannh/kubeconform/pkg/registry"

	"github.com/sallyport/sallyport/repo"
)

// defaultLocation stands for the embedded definitions among the schema
// locations, as it stands for the public ones in kubeconform.
const defaultLocation = "default"

// ErrNetwork is wrapped by errors about a schema that only the network has,
// while the network is off.
var ErrNetwork = errors.New("the network is off; --allow-network turns it on")

// locations are schema locations in kubeconform's sense: directories or URLs,
// plain or as templates. Lookups are memoised. It is safe for concurrent use.
type locations struct {
	registries []registry.Registry
	load       loader

	mu    sync.Mutex
	found map[string]*shape // by path or URL, nil where there is none
}

// newLocations parses locations in kubeconform's syntax. cacheDir, which may be
// empty, keeps what is downloaded. A URL needs allowNetwork.
func newLocations(specs []string, allowNetwork bool, cacheDir string) (*locations, error) {
	l := &locations{load: fileOnly, found: map[string]*shape{}}
	for _, spec := range specs {
		if isURL(spec) && !allowNetwork {
			return nil, fmt.Errorf("schema location %s: %w", spec, ErrNetwork)
		}
		// Always kubeconform's strict variant: unknown fields are what this check is for.
		r, err := registry.New(spec, cacheDir, true, false, false)
		if err != nil {
			return nil, fmt.Errorf("schema location %s: %w", spec, err)
		}
		l.registries = append(l.registries, r)
	}
	if allowNetwork {
		load, err := fileOrURL(cacheDir)
		if err != nil {
			return nil, err
		}
		l.load = load
	}
	return l, nil
}

func isURL(spec string) bool {
	return strings.HasPrefix(spec, "http://") || strings.HasPrefix(spec, "https://")
}

// plainName is what may enter a path template. Kinds and groups come from the
// repository under review, so "../../etc" must not.
var plainName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`)

// lookup returns the schema of a kind from the first location that has one, or
// nil. A schema that is there and cannot be used is an error that names it.
func (l *locations) lookup(apiVersion, kind string, k release) (*shape, error) {
	if len(l.registries) == 0 {
		return nil, nil
	}
	for _, part := range append(strings.Split(apiVersion, "/"), kind) {
		if !plainName.MatchString(part) || strings.Contains(part, "..") {
			return nil, nil
		}
	}
	for i, r := range l.registries {
		s, err := l.lookupIn(i, r, apiVersion, kind, k)
		if s != nil || err != nil {
			return s, err
		}
	}
	return nil, nil
}

// lookupIn asks one location. The lock is held while a schema is read, so that
// workers which want the same one wait for it rather than read it again.
func (l *locations) lookupIn(i int, r registry.Registry, apiVersion, kind string, k release) (*shape, error) {
	key := fmt.Sprintf("%d %s %s %s", i, apiVersion, kind, k.full)
	l.mu.Lock()
	defer l.mu.Unlock()
	if s, ok := l.found[key]; ok {
		return s, nil
	}
	path, doc, err := r.DownloadSchema(kind, apiVersion, k.full)
	if isAbsent(err) {
		l.found[key] = nil
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("schema %s: %w", path, err)
	}
	if s := l.found[path]; s != nil {
		l.found[key] = s
		return s, nil
	}
	s, err := compile(path, doc, l.load)
	if err != nil {
		return nil, fmt.Errorf("schema %s: %w", path, err)
	}
	l.found[key], l.found[path] = s, s
	return s, nil
}

// isAbsent reports whether kubeconform's error says that there is no schema.
// kubeconform gives the same error type to a page that is not JSON, which is
// a broken schema, so its words decide.
func isAbsent(err error) bool {
	var absent *kubeconform.NotFoundError
	return errors.As(err, &absent) && strings.HasPrefix(err.Error(), "could not ")
}

// fileOnly reads references between schema files, and nothing from the network.
func fileOnly(url string) (any, error) {
	if isURL(url) {
		return nil, fmt.Errorf("reference to %s: %w", url, ErrNetwork)
	}
	path, err := jsonschema.FileLoader{}.ToFile(url)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > repo.MaxFileSize {
		return nil, fmt.Errorf("%s is no regular file of at most %d bytes", path, repo.MaxFileSize)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return jsonschema.UnmarshalJSON(file)
}

// fileOrURL reads references from files and from the network.
func fileOrURL(cacheDir string) (loader, error) {
	var disk cache.Cache
	if cacheDir != "" {
		disk = cache.NewOnDiskCache(cacheDir)
	}
	web, err := kubeconform.NewHTTPURLLoader(false, disk)
	if err != nil {
		return nil, fmt.Errorf("schema loader: %w", err)
	}
	return func(url string) (any, error) {
		if isURL(url) {
			return web.Load(url)
		}
		return fileOnly(url)
	}, nil
}
