package fetch

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
)

// gitNamespace is what git signs for, as against files or mail.
const gitNamespace = "git"

// allowedSigner is one line of an allowed signers file. A zero time is no limit.
type allowedSigner struct {
	principals    string
	key           ssh.PublicKey
	namespaces    []string // patterns; none allow all
	after, before time.Time
}

// parseAllowedSigners reads the format of ssh-keygen(1), ALLOWED SIGNERS:
// "principals [options] type key [comment]". Times without a Z are UTC, which is
// the time zone of the image. An option that is not known is an error: it may
// narrow what the key is for.
func parseAllowedSigners(name string, data []byte) ([]allowedSigner, error) {
	var out []allowedSigner
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		s, err := parseAllowedSigner(line)
		if err != nil {
			return nil, fmt.Errorf("%w: %s:%d: %w", ErrCredentials, name, number, err)
		}
		out = append(out, s)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: %s allows nobody", ErrCredentials, name)
	}
	return out, nil
}

func parseAllowedSigner(line string) (s allowedSigner, err error) {
	rest := ""
	if quoted, ok := strings.CutPrefix(line, `"`); ok {
		s.principals, rest, ok = strings.Cut(quoted, `"`)
		if !ok {
			return s, errors.New("the quotation mark before the principals has no other")
		}
	} else {
		at := strings.IndexAny(line, " \t")
		if at < 0 {
			return s, errors.New("there is no key behind the principals")
		}
		s.principals, rest = line[:at], line[at:]
	}
	var options []string
	if s.key, _, options, _, err = ssh.ParseAuthorizedKey([]byte(strings.TrimSpace(rest))); err != nil || s.principals == "" {
		return s, errors.New("it is not `principals [options] type key`")
	}
	for _, option := range options {
		if err := s.option(option); err != nil {
			return s, err
		}
	}
	return s, nil
}

func (s *allowedSigner) option(option string) (err error) {
	name, value, _ := strings.Cut(option, "=")
	value = strings.Trim(value, `"`)
	switch strings.ToLower(name) {
	case "namespaces":
		s.namespaces = strings.Split(value, ",")
	case "valid-after":
		s.after, err = parseValidity(value)
	case "valid-before":
		s.before, err = parseValidity(value)
	case "cert-authority":
		return errors.New("cert-authority is not supported: list the keys of those who sign")
	default:
		return fmt.Errorf("unknown option %q", name)
	}
	return err
}

func parseValidity(text string) (time.Time, error) {
	for _, layout := range []string{"20060102", "200601021504", "20060102150405"} {
		if t, err := time.Parse(layout, strings.TrimSuffix(text, "Z")); err == nil {
			return t, nil
		}
	}
	return time.Time{}, errors.New("a date is YYYYMMDD, YYYYMMDDHHMM or YYYYMMDDHHMMSS")
}

// bySSH checks a signature by SSH. Its errors continue "commit X ".
func (v *verifier) bySSH(s signed) (string, error) {
	signature, err := sshsig.Unarmor(s.signature)
	if err != nil {
		return "", errors.New("has an SSH signature that cannot be read")
	}
	id := signature.PublicKey.Type() + " " + ssh.FingerprintSHA256(signature.PublicKey)
	if _, ok := signature.PublicKey.(*ssh.Certificate); ok {
		return "", fmt.Errorf("is signed with an SSH certificate, %s, which is not supported: sign with a key", id)
	}
	err = sshsig.Verify(s.text(), signature, signature.PublicKey, signature.HashAlgorithm, gitNamespace)
	switch {
	case errors.Is(err, sshsig.ErrNamespaceMismatch):
		return "", fmt.Errorf("has a signature by the SSH key %s that was not made for git", id)
	case err != nil:
		return "", fmt.Errorf("has a signature by the SSH key %s that is not valid: the text was changed", id)
	}
	problem := fmt.Errorf("is signed by the SSH key %s, which is not among the allowed signers: add it if its owner may sign", id)
	for _, a := range v.ssh {
		if !bytes.Equal(a.key.Marshal(), signature.PublicKey.Marshal()) {
			continue
		}
		if problem = a.unfit(id, v.now); problem == nil {
			return a.principals, nil
		}
	}
	return "", problem
}

// unfit says why a key that is listed may not sign now.
func (a allowedSigner) unfit(id string, now time.Time) error {
	switch {
	case !a.forGit():
		return fmt.Errorf("is signed by the SSH key %s of %s, which is not allowed in the namespace git", id, a.principals)
	case !a.after.IsZero() && now.Before(a.after):
		return fmt.Errorf("is signed by the SSH key %s of %s, which is valid only after %s", id, a.principals, a.after.Format(time.RFC3339))
	case !a.before.IsZero() && !now.Before(a.before):
		return fmt.Errorf("is signed by the SSH key %s of %s, which expired on %s: sign anew with another, or move valid-before", id, a.principals, a.before.Format(time.RFC3339))
	}
	return nil
}

func (a allowedSigner) forGit() bool {
	for _, pattern := range a.namespaces {
		if ok, err := path.Match(strings.TrimSpace(pattern), gitNamespace); ok && err == nil {
			return true
		}
	}
	return len(a.namespaces) == 0
}
