package secrets

import (
	"encoding/base64"
	"encoding/binary"

	"github.com/sallyport/sallyport/finding"
)

// ruleMoved is about secrets that a render takes away from where they belong.
const ruleMoved = "secret-moved"

func movedRule() finding.Rule {
	kustomization := "namespace: shop\nresources:\n- sealed.yaml\n"
	return finding.Rule{
		Name: ruleMoved, Severity: finding.Error,
		Title: "A secret leaves the namespace or name that it is bound to",
		Doc: "Whoever encrypts a secret does it for one place. kubeseal binds each value of a SealedSecret to its " +
			"name and namespace (scope strict), or to its namespace alone (namespace-wide): where `namePrefix`, " +
			"`namespace` or a patch changes them, or the annotation that says the scope, the controller cannot open " +
			"the values, and no Secret is made. With `secrets.bind` in the configuration the same holds for files " +
			"that sops encrypted: their secrets may reach no other namespace than those listed. Such a file is bound to its name at the base " +
			"as well: under a new one, written by hand, its values take the place of another Secret's. Where a patch or a " +
			"prefix gives the new name, it is a warning. `sops-bind: v1/Secret/NAMESPACE/NAME` in the file binds both.",
		Fix: "Encrypt the secret again for the place it is meant for, or take the change away.",
		Bad: finding.Example{
			"sealed.yaml": exampleSealedSecret(), "kustomization.yaml": "namePrefix: prod-\n" + kustomization,
		},
		Good: finding.Example{"sealed.yaml": exampleSealedSecret(), "kustomization.yaml": kustomization},
	}
}

// exampleSealedSecret has the form that kubeseal writes, with zeros inside.
func exampleSealedSecret() string {
	value := make([]byte, rsaSizes[2]+sealedOverhead)
	binary.BigEndian.PutUint16(value, uint16(rsaSizes[2]))
	return "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata:\n  name: db\n  namespace: shop\n" +
		"spec:\n  encryptedData:\n    password: " + base64.StdEncoding.EncodeToString(value) + "\n"
}
