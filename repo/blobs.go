package repo

import (
	"bufio"
	"bytes"
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
	if errors.As(err, &exit) || errors.Is(err, errPartial) {
		return nil, refuse(path, ruleRenderError, "is not in this clone: its blob "+object+" is missing or damaged")
	}
	return data, err
}

// prefetch returns the contents of objects. Those that are missing are left
// out.
func (g *git) prefetch(objects []string) (map[string][]byte, error) {
	if len(objects) == 0 {
		return nil, nil
	}
	const subcommand = "cat-file"
	cmd := g.command(subcommand, "--batch", "--buffer")
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = strings.NewReader(lines(objects)), &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("git %s: %w", subcommand, err)
	}
	if err := cmd.Start(); err != nil {
		return nil, g.fail(subcommand, err, "")
	}
	data, err := readBatch(bufio.NewReaderSize(stdout, 1<<16), len(objects))
	if err != nil {
		// What is left in the pipe would keep Git from ending; its own error says more.
		_, _ = io.Copy(io.Discard, stdout)
	}
	if waitErr := cmd.Wait(); waitErr != nil {
		return nil, g.fail(subcommand, waitErr, stderr.String())
	}
	if err != nil {
		return nil, g.fail(subcommand, err, "")
	}
	return data, nil
}

// readBatch reads n answers of cat-file --batch: "<id> blob <size>\n", the
// content and "\n", or "<id> missing\n".
func readBatch(r *bufio.Reader, n int) (map[string][]byte, error) {
	data := make(map[string][]byte, n)
	for range n {
		line, err := r.ReadString('\n')
		if err != nil {
			return nil, err
		}
		fields := strings.Fields(line)
		if len(fields) != 3 {
			continue
		}
		size, err := strconv.ParseInt(fields[2], 10, 64)
		if err != nil || size < 0 || size > MaxFileSize {
			return nil, fmt.Errorf("unexpected size of object %s", fields[0])
		}
		content := make([]byte, size+1)
		if _, err := io.ReadFull(r, content); err != nil {
			return nil, err
		}
		if fields[1] == "blob" {
			data[fields[0]] = content[:size:size]
		}
	}
	return data, nil
}

// sizes sets the size of every item that is a blob, -1 where it is missing and
// everywhere if there is an error.
func (g *git) sizes(items []item) error {
	var objects []string
	for i := range items {
		if items[i].object != "" {
			items[i].Size = -1
			objects = append(objects, items[i].object)
		}
	}
	if len(objects) == 0 {
		return nil
	}
	out, err := g.feed(lines(objects), "cat-file", "--batch-check=%(objecttype) %(objectsize)", "--buffer")
	if err != nil {
		return err
	}
	answers := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(answers) != len(objects) {
		return fmt.Errorf("git cat-file: %d answers to %d questions", len(answers), len(objects))
	}
	next := 0
	for i := range items {
		if items[i].object == "" {
			continue
		}
		items[i].Size = parseSize(strings.TrimPrefix(answers[next], "blob "))
		next++
	}
	return nil
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
