package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
)

// The limits of what a pack may unfold to. A pack of one megabyte can hold an
// object of a gigabyte, or a thousand deltas that each make one.
const (
	maxObject   = 128 << 20 // bytes: the indexer holds one object at a time; Git hosts refuse files over 100 MiB
	maxUnpacked = 4 << 30   // bytes of all objects together: half a minute of work
	maxObjects  = 2_000_000 // with all history; each takes some 200 bytes while it is indexed
)

// measure reads the headers of a pack and what its deltas say of their results,
// before anything that depends on them is put into memory.
func measure(ctx context.Context, pack io.Reader) (err error) {
	defer recovered(&err)
	s := packfile.NewScanner(pack)
	_, count, err := s.Header()
	if err != nil {
		return fmt.Errorf("%w: %w", errDamaged, err)
	}
	if count > maxObjects {
		return fmt.Errorf("%w: it has more than %d objects", ErrTooLarge, maxObjects)
	}
	var total int64
	for range count {
		if err := ctx.Err(); err != nil {
			return err
		}
		size, err := unpacked(s)
		if err != nil {
			return err
		}
		if total += size; total > maxUnpacked {
			return fmt.Errorf("%w: its objects take more than %d bytes together", ErrTooLarge, int64(maxUnpacked))
		}
	}
	return nil
}

// unpacked returns the size of the next object.
func unpacked(s *packfile.Scanner) (int64, error) {
	h, err := s.NextObjectHeader()
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errDamaged, err)
	}
	if h.Length > maxObject {
		return 0, objectTooLarge()
	}
	var head deltaHead
	if _, _, err := s.NextObject(&head); err != nil {
		return 0, fmt.Errorf("%w: %w", errDamaged, err)
	}
	size := h.Length
	if h.Type == plumbing.OFSDeltaObject || h.Type == plumbing.REFDeltaObject {
		result, err := head.result()
		if err != nil {
			return 0, fmt.Errorf("%w: %w", errDamaged, err)
		}
		size += result
		if result > maxObject {
			return 0, objectTooLarge()
		}
	}
	return size, nil
}

func objectTooLarge() error {
	return fmt.Errorf("%w: it has an object of more than %d MiB", ErrTooLarge, maxObject>>20)
}

// deltaHead keeps the beginning of a delta, which has two sizes of up to ten
// bytes: that of the base and that of the result (gitformat-pack(5)).
type deltaHead struct {
	data [20]byte
	n    int
}

func (d *deltaHead) Write(p []byte) (int, error) {
	d.n += copy(d.data[d.n:], p)
	return len(p), nil
}

func (d *deltaHead) result() (int64, error) {
	rest := d.data[:d.n]
	var size int64
	for range 2 {
		size = 0
		for shift := 0; ; shift += 7 {
			if len(rest) == 0 || shift > 56 {
				return 0, errors.New("a delta has no size")
			}
			c := rest[0]
			rest = rest[1:]
			size |= int64(c&0x7f) << shift
			if c&0x80 == 0 {
				break
			}
		}
	}
	return size, nil
}
