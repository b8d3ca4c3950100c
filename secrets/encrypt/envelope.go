package encrypt

import (
	"crypto/rand"
	"fmt"
	"io"
	"time"

	"github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/aes"
	"github.com/getsops/sops/v3/age"
	"github.com/getsops/sops/v3/keyservice"
	"github.com/getsops/sops/v3/logging"

	"github.com/sallyport/sallyport/secrets"
)

// sopsVersion is the version of sops whose format is written, that of go.mod.
const sopsVersion = "3.13.3"

// An envelope is the sops metadata of one file with the data key in the clear,
// which lives no longer than the sealing of the file. Every file gets a key of
// its own.
type envelope struct {
	metadata sops.Metadata
	key      []byte
}

// dataKeySize is the size of an AES-256 key.
const dataKeySize = 32

// newEnvelope makes a data key and wraps it for every recipient.
func newEnvelope(rule *secrets.CreationRule, selection secrets.Selection) (*envelope, error) {
	groups, err := keyGroups(rule)
	if err != nil {
		return nil, err
	}
	e := &envelope{key: make([]byte, dataKeySize)}
	if _, err := rand.Read(e.key); err != nil {
		return nil, fmt.Errorf("data key: %w", err)
	}
	e.metadata = sops.Metadata{
		KeyGroups:               groups,
		ShamirThreshold:         rule.Threshold,
		UnencryptedSuffix:       selection.UnencryptedSuffix,
		EncryptedSuffix:         selection.EncryptedSuffix,
		UnencryptedRegex:        selection.UnencryptedRegex,
		EncryptedRegex:          selection.EncryptedRegex,
		UnencryptedCommentRegex: selection.UnencryptedCommentRegex,
		EncryptedCommentRegex:   selection.EncryptedCommentRegex,
		MACOnlyEncrypted:        rule.MACOnlyEncrypted,
		Version:                 sopsVersion,
		LastModified:            time.Now().UTC().Truncate(time.Second), // as precise as the file
	}
	services := []keyservice.KeyServiceClient{keyservice.NewLocalClient()}
	if errs := e.metadata.UpdateMasterKeysWithKeyServices(e.key, services); len(errs) > 0 {
		return nil, fmt.Errorf("wrap the data key: %w", errs[0])
	}
	return e, nil
}

// keyGroups makes sops' keys of the recipients, all of which are age's.
func keyGroups(rule *secrets.CreationRule) ([]sops.KeyGroup, error) {
	groups := make([]sops.KeyGroup, rule.Groups)
	for _, r := range rule.Recipients {
		key, err := age.MasterKeyFromRecipient(r.ID)
		if err != nil {
			return nil, fmt.Errorf("recipient: %w", err)
		}
		groups[r.Group] = append(groups[r.Group], key)
	}
	return groups, nil
}

// forget overwrites the data key.
func (e *envelope) forget() {
	clear(e.key)
	e.metadata.DataKey = nil
}

// encrypt replaces the values of a tree that the metadata selects, as sops does,
// and completes the metadata with the MAC.
func (e *envelope) encrypt(branches sops.TreeBranches) (err error) {
	defer recovered(&err)
	tree := sops.Tree{Branches: branches, Metadata: e.metadata}
	cipher := aes.NewCipher()
	mac, err := tree.Encrypt(e.key, cipher)
	if err != nil {
		return errTree // what sops says quotes values
	}
	at := e.metadata.LastModified.Format(time.RFC3339)
	if e.metadata.MessageAuthenticationCode, err = cipher.Encrypt(mac, e.key, at); err != nil {
		return errTree
	}
	return nil
}

// decrypt reads a sealed text with the data key, as sops would with the key of a
// recipient, and verifies the MAC.
func (e *envelope) decrypt(l layout, data []byte) (_ []leaf, err error) {
	defer recovered(&err)
	quiet()
	tree, err := l.store().LoadEncryptedFile(data)
	if err != nil {
		return nil, errTree
	}
	cipher := aes.NewCipher()
	computed, err := tree.Decrypt(e.key, cipher)
	if err != nil {
		return nil, errTree
	}
	at := tree.Metadata.LastModified.Format(time.RFC3339)
	mac, err := cipher.Decrypt(tree.Metadata.MessageAuthenticationCode, e.key, at)
	if err != nil || mac != computed {
		return nil, errTree
	}
	return leavesOf(tree.Branches), nil
}

// load reads a text without a sops block.
func load(l layout, data []byte) (branches sops.TreeBranches, err error) {
	defer recovered(&err)
	if branches, err = l.store().LoadPlainFile(data); err != nil {
		return nil, errTree
	}
	return branches, nil
}

// loadWithBlock reads a text with a sops block and leaves the block away.
func loadWithBlock(l layout, data []byte) (branches sops.TreeBranches, err error) {
	defer recovered(&err)
	tree, err := l.store().LoadEncryptedFile(data)
	if err != nil {
		return nil, errTree
	}
	return tree.Branches, nil
}

// block is the text of the metadata, as the store of the format writes it for a
// document without anything else.
func (e *envelope) block(l layout) (text []byte, err error) {
	defer recovered(&err)
	tree := sops.Tree{Branches: sops.TreeBranches{{}}, Metadata: e.metadata}
	if text, err = l.store().EmitEncryptedFile(tree); err != nil {
		return nil, errTree
	}
	return text, nil
}

// errTree stands for every error of sops, which may quote a value.
var errTree = refusal("sops cannot read it in this format, or would read it differently afterwards")

// recovered turns a panic of sops into an error.
func recovered(err *error) {
	if r := recover(); r != nil {
		*err = errTree
	}
}

// quiet keeps sops from logging comments, which it warns about where they are
// not encrypted. The logger is sops' own; nothing else in the program uses it.
func quiet() {
	if logger := logging.Loggers["SOPS"]; logger != nil {
		logger.SetOutput(io.Discard)
	}
}
