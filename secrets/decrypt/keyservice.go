package decrypt

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"

	"filippo.io/age"
	"filippo.io/age/armor"
	"github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/keyservice"

	"github.com/sallyport/sallyport/secrets"
)

const (
	// dataKeySize is the size of an AES-256 key. sops would take shorter ones.
	dataKeySize = 32
	// maxWrapped is the most that is read of what a recipient's enc holds: a data
	// key, or a part of one with its number.
	maxWrapped = dataKeySize + 1
)

// errKey is what sops is told of a key that cannot or must not be used.
var errKey = errors.New("key refused")

// keyService answers sops' questions for the data key of one file. age
// identities are used here and not through sops, which would look for more in
// the environment.
type keyService struct {
	identities []age.Identity
	allowed    []Key
	asked      bool // a key of an allowed kind was there
}

// Encrypt refuses: nothing is encrypted here.
func (k *keyService) Encrypt(context.Context, *keyservice.EncryptRequest) (*keyservice.EncryptResponse, error) {
	return nil, errKey
}

// Decrypt opens the enc of one recipient.
func (k *keyService) Decrypt(ctx context.Context, req *keyservice.DecryptRequest) (*keyservice.DecryptResponse, error) {
	if _, ok := req.Key.KeyType.(*keyservice.Key_AgeKey); ok {
		k.asked = true
		return k.age(req.Ciphertext)
	}
	key, ok := keyOf(req.Key)
	if !ok || !slices.Contains(k.allowed, key) {
		return nil, errKey
	}
	k.asked = true
	rsp, err := keyservice.Server{}.Decrypt(ctx, req)
	if err != nil {
		return nil, errKey
	}
	return rsp, nil
}

func (k *keyService) age(enc []byte) (*keyservice.DecryptResponse, error) {
	if len(k.identities) == 0 {
		return nil, errKey
	}
	r, err := age.Decrypt(armor.NewReader(bytes.NewReader(enc)), k.identities...)
	if err != nil {
		return nil, errKey
	}
	key, err := io.ReadAll(io.LimitReader(r, maxWrapped+1))
	if err != nil || len(key) > maxWrapped {
		return nil, errKey
	}
	return &keyservice.DecryptResponse{Plaintext: key}, nil
}

// keyOf names a key that is not age's. It is not ok for PGP, which runs gpg and
// its agent, and for what a file can say beside the name of a key: a profile of
// the machine's AWS credentials.
func keyOf(key *keyservice.Key) (Key, bool) {
	switch t := key.KeyType.(type) {
	case *keyservice.Key_KmsKey:
		id := t.KmsKey.Arn
		if t.KmsKey.Role != "" {
			id += "+" + t.KmsKey.Role
		}
		return Key{secrets.AWSKMS, id}, t.KmsKey.AwsProfile == ""
	case *keyservice.Key_GcpKmsKey:
		return Key{secrets.GCPKMS, t.GcpKmsKey.ResourceId}, true
	case *keyservice.Key_AzureKeyvaultKey:
		return Key{secrets.AzureKV, t.AzureKeyvaultKey.VaultUrl + "/keys/" + t.AzureKeyvaultKey.Name + "/" + t.AzureKeyvaultKey.Version}, true
	case *keyservice.Key_VaultKey:
		return Key{secrets.Vault, t.VaultKey.VaultAddress + "/v1/" + t.VaultKey.EnginePath + "/keys/" + t.VaultKey.KeyName}, true
	case *keyservice.Key_HckmsKey:
		return Key{secrets.HuaweiKMS, t.HckmsKey.KeyId}, true
	}
	return Key{}, false
}

// dataKey asks for the data key of a file.
func (j *job) dataKey(meta *sops.Metadata) ([]byte, Code) {
	k := &keyService{identities: j.keys.list(), allowed: j.opts.Keys}
	key, err := meta.GetDataKeyWithKeyServices([]keyservice.KeyServiceClient{keyservice.NewCustomLocalClient(k)}, nil)
	switch {
	case err == nil && len(key) == dataKeySize:
		return key, ""
	case !k.asked && len(meta.KeyGroups) > 0:
		return nil, CodeKeyType
	}
	return nil, CodeNoKey
}
