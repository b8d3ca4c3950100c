package repo

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// prefetchLimit bounds what the first read of a blob brings into memory. All
// manifests of a large repository are a few MiB; the images and archives beside
// them come last, by size, and are read one by one if anybody asks.
const prefetchLimit = 64 << 20

// blobs reads the contents of Git objects. The first read fetches all that the
// snapshot lists, smallest first up to prefetchLimit, through one process:
// 5,400 blobs take as long as a dozen processes do.
type blobs struct {
	git    *git
	wanted []string // object ids

	once sync.Once
	data map[string][]byte
	err  error
}

func newBlobs(git *git, items []item) *blobs {
	items = slices.DeleteFunc(slices.Clone(items), func(it item) bool {
		return it.object == "" || it.Mode > Executable || it.Size < 0 || it.Size > MaxFileSize
	})
	slices.SortStableFunc(items, func(a, b item) int { return cmp.Compare(a.Size, b.Size) })
	b := &blobs{git: git}
	seen := map[string]bool{}
	var total int64
	for _, it := range items {
		if seen[it.object] {
			continue
		}
		if total += it.Size; total > prefetchLimit {
			break
		}
		seen[it.object] = true
		b.wanted = append(b.wanted, it.object)
	}
	return b
}

// read returns the blob, which the entry at path names.
func (b *blobs) read(path, object string) ([]byte, error) {
	b.once.Do(func() { b.data, b.err = b.git.prefetch(b.wanted) })
	if b.err != nil {
		return nil, b.err
	}
	if data, ok := b.data[object]; ok {
		return data, nil
	}
	data, err := b.git.run("cat-file", "blob", object)
	var exit *exec.ExitError
	if errors.Is(err, errPartial) {
		return nil, refuse(path, ruleRenderError, "is not in this clone, which is partial; get it with: git fetch --refetch --no-filter")
	}
	if errors.As(err, &exit) {
		return nil, refuse(path, ruleRenderError, "is not in this clone: its blob "+object+" is missing or damaged")
	}
	return data, err
}

// prefetch returns the contents of objects. Those that are missing are left
// out.
func (g *git) prefetch(objects []string) (map[string][]byte, error) {
	data := make(map[string][]byte, len(objects))
	err := g.contents(objects, func(i int, content []byte) error {
		if content != nil {
			data[objects[i]] = content
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return data, nil
}

// contents calls fn with the content of each object in turn, which is nil where
// it is missing or no blob. None may be larger than MaxFileSize. An error of fn
// ends it.
func (g *git) contents(objects []string, fn func(i int, content []byte) error) error {
	return g.objects(objects, "blob", fn)
}

// objects is contents for objects of any kind.
func (g *git) objects(objects []string, kind string, fn func(i int, content []byte) error) error {
	if len(objects) == 0 {
		return nil
	}
	return g.stream(lines(objects), func(r *bufio.Reader) error {
		for i := range objects {
			content, err := readObject(r, kind)
			if err != nil {
				return err
			}
			if err := fn(i, content); err != nil {
				return err
			}
		}
		return nil
	}, "cat-file", "--batch", "--buffer")
}

// readObject reads one answer of cat-file --batch: "<id> <kind> <size>\n", the
// content and "\n", or "<id> missing\n". The content of another kind is nil.
func readObject(r *bufio.Reader, kind string) ([]byte, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return nil, errCut
	}
	fields := strings.Fields(line)
	if len(fields) != 3 {
		return nil, nil
	}
	size, err := strconv.ParseInt(fields[2], 10, 64)
	if err != nil || size < 0 || size > MaxFileSize {
		return nil, fmt.Errorf("git cat-file: unexpected size of object %s", fields[0])
	}
	content := make([]byte, size+1)
	if _, err := io.ReadFull(r, content); err != nil {
		return nil, errCut
	}
	if fields[1] != kind {
		return nil, nil
	}
	return content[:size:size], nil
}

// sizes sets the size of every item that is a blob, -1 where it is missing and
// everywhere if there is an error.
func (g *git) sizes(items []item) error {
	var objects []string
	var at []int
	for i := range items {
		if items[i].object != "" && items[i].Mode != Submodule {
			items[i].Size = -1
			objects = append(objects, items[i].object)
			at = append(at, i)
		}
	}
	sizes, err := g.blobSizes(objects)
	if err != nil {
		return err
	}
	for n, i := range at {
		items[i].Size = sizes[n]
	}
	return nil
}

// blobSizes returns the size of each object, -1 where it is missing or no blob.
func (g *git) blobSizes(objects []string) ([]int64, error) {
	if len(objects) == 0 {
		return nil, nil
	}
	out, err := g.feed(lines(objects), "cat-file", "--batch-check=%(objecttype) %(objectsize)", "--buffer")
	if err != nil {
		return nil, err
	}
	answers := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(answers) != len(objects) {
		return nil, fmt.Errorf("git cat-file: %d answers to %d questions", len(answers), len(objects))
	}
	sizes := make([]int64, len(objects))
	for i, answer := range answers {
		sizes[i] = parseSize(strings.TrimPrefix(answer, "blob "))
	}
	return sizes, nil
}

// parseSize returns -1 for a size that Git does not know.
func parseSize(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return -1
	}
	return n
}

func lines(items []string) string { return strings.Join(items, "\n") + "\n" }
