package fetch

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
)

// maxTags is how many tags may point at each other. Nobody makes two.
const maxTags = 8

// commit is a decoded commit. Payload is what its signature is over.
type commit struct {
	id      string
	tree    plumbing.Hash
	time    time.Time
	signed  signed
	parents []plumbing.Hash
}

// tag is a decoded annotated tag.
type tag struct {
	name   string
	object plumbing.Hash
	kind   string
	signed signed
}

// signed is a text and the signature over it, which is empty where there is none.
type signed struct{ payload, signature []byte }

// peel follows a tag to its commit. The tag is the first of them, the one that
// the reference names; nil where it names a commit.
func (o *objects) peel(hash plumbing.Hash) (*tag, *commit, error) {
	var first *tag
	for range maxTags {
		data, err := o.get(plumbing.CommitObject, hash)
		if err == nil {
			c, err := parseCommit(hash, data)
			return first, c, err
		}
		if data, tagErr := o.get(plumbing.TagObject, hash); tagErr == nil {
			t, err := parseTag(data)
			if err != nil {
				return nil, nil, fmt.Errorf("tag %s: %w", hash, err)
			}
			if first == nil {
				first = t
			}
			hash = t.object
			continue
		}
		for _, kind := range []plumbing.ObjectType{plumbing.TreeObject, plumbing.BlobObject} {
			if _, err := o.get(kind, hash); err == nil {
				return nil, nil, fmt.Errorf("%w: %s is a %s, not a commit", ErrReference, hash, kind)
			}
		}
		return nil, nil, fmt.Errorf("commit %s is not there: %w", hash, err)
	}
	return nil, nil, fmt.Errorf("%w: more than %d tags point at each other", ErrReference, maxTags)
}

// header is one line of an object's head, with the lines that continue it.
type header struct {
	key, value string
	raw        []byte
}

// headers takes the head of a commit or a tag apart. body is what follows the
// empty line, with it.
func headers(data []byte) (all []header, body []byte) {
	for len(data) > 0 && data[0] != '\n' {
		end := 0
		for {
			n := bytes.IndexByte(data[end:], '\n')
			if n < 0 {
				end = len(data)
				break
			}
			if end += n + 1; end >= len(data) || data[end] != ' ' {
				break
			}
		}
		key, value, _ := strings.Cut(strings.TrimSuffix(string(data[:end]), "\n"), " ")
		all = append(all, header{key, value, data[:end]})
		data = data[end:]
	}
	return all, data
}

// parseCommit decodes a commit. Everything but its signature is signed; two
// signatures could each be over another half, and are refused.
func parseCommit(id plumbing.Hash, data []byte) (*commit, error) {
	c := &commit{id: id.String()}
	all, body := headers(data)
	if len(all) == 0 || all[0].key != "tree" || !fullSHA.MatchString(all[0].value) {
		return nil, fmt.Errorf("commit %s has no tree", id)
	}
	c.tree = plumbing.NewHash(all[0].value)
	signatures := 0
	for _, h := range all {
		switch h.key {
		case "gpgsig":
			signatures++
			c.signed.signature = []byte(strings.ReplaceAll(h.value, "\n ", "\n"))
			continue
		case "gpgsig-sha256": // over the same commit by its other name
			continue
		case "parent":
			c.parents = append(c.parents, plumbing.NewHash(h.value))
		case "committer":
			c.time = stamp(h.value)
		}
		c.signed.payload = append(c.signed.payload, h.raw...)
	}
	c.signed.payload = append(c.signed.payload, body...)
	if signatures > 1 {
		return nil, fmt.Errorf("%w: commit %s has %d signatures", ErrSignature, id, signatures)
	}
	return c, nil
}

// signatureStart begins the signature at the end of a tag.
var signatureStarts = []string{"-----BEGIN PGP SIGNATURE-----", "-----BEGIN PGP MESSAGE-----", "-----BEGIN SSH SIGNATURE-----", "-----BEGIN SIGNED MESSAGE-----"}

// parseTag decodes a tag. As in Git, its signature is what follows the last line
// that begins one.
func parseTag(data []byte) (*tag, error) {
	t := &tag{}
	all, body := headers(data)
	for i, want := range []string{"object", "type", "tag"} {
		if i >= len(all) || all[i].key != want {
			return nil, errors.New("it has no " + want)
		}
	}
	if !fullSHA.MatchString(all[0].value) {
		return nil, errors.New("it names no object")
	}
	t.object, t.kind, t.name = plumbing.NewHash(all[0].value), all[1].value, all[2].value
	at := len(data)
	for _, start := range signatureStarts {
		if i := bytes.LastIndex(body, []byte("\n"+start)); i >= 0 {
			at = min(at, len(data)-len(body)+i+1)
		}
	}
	t.signed = signed{payload: data[:at], signature: data[at:]}
	return t, nil
}

// stamp reads the time of "Name <mail> <seconds> <zone>". A time that cannot be
// read is zero.
func stamp(line string) time.Time {
	fields := strings.Fields(line[strings.LastIndexByte(line, '>')+1:])
	if len(fields) == 0 {
		return time.Time{}
	}
	seconds, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}
