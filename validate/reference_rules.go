package validate

import "github.com/sallyport/sallyport/finding"

func referenceRule() finding.Rule {
	workload := func(key string) finding.Example {
		return finding.Example{
			"shop.yaml": `apiVersion: v1
kind: Pod
metadata:
  name: shop
  namespace: shop
spec:
  containers:
    - name: shop
      image: registry.example.com/shop:1.4.2
      env:
        - name: GREETING
          valueFrom:
            configMapKeyRef:
              name: shop-settings
              key: ` + key + "\n",
			"settings.yaml": `apiVersion: v1
kind: ConfigMap
metadata:
  name: shop-settings
  namespace: shop
data:
  greeting: hello
`,
		}
	}
	return finding.Rule{
		Name:     ruleReference,
		Severity: finding.Error,
		Title:    "An object names something that is not there",
		Doc: "A pod that names a Secret, a ConfigMap or one of their keys does not start until it is there; an Ingress " +
			"serves another certificate; a HelmRelease is not installed. The name is looked up in the target, then in the " +
			"other targets, also among what controllers make there: ExternalSecrets, SealedSecrets, Certificates, Helm " +
			"releases and others. The keys of encrypted Secrets can be read without decryption.\n\n" +
			"It is an error where the target itself shows the mistake: the object is there and lacks the key, is in " +
			"another namespace, was generated with a hash suffix that nothing appends to the name, or is called almost " +
			"alike while nothing else names it. It is a warning where no target of the repository defines the name, since " +
			"somebody may make it by hand, and where only another target's object lacks the key. References with " +
			"`optional: true` are not judged.",
		Fix: "Correct the name or the key, define the object, or declare it external in the configuration if it is " +
			"made outside the repository.",
		Bad:  workload("greetings"),
		Good: workload("greeting"),
	}
}

func unusedRule() finding.Rule {
	secret := `apiVersion: v1
kind: Secret
metadata:
  name: shop-db
  namespace: shop
stringData:
  password: ` + exampleValue + `
sops:
  age:
  - recipient: age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj
    enc: |
      -----BEGIN AGE ENCRYPTED FILE-----
      YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSBBQUFBQUFBQUFBQUFBQUFB
      QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBCkFBQUFBQUFBQUFBQUFBQUFBQUFB
      QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUEKLS0tIEFBQUFBQUFBQUFBQUFBQUFBQUFB
      QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUEKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
      AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==
      -----END AGE ENCRYPTED FILE-----
  lastmodified: "2026-01-01T00:00:00Z"
  mac: ` + exampleValue + `
  encrypted_regex: ^(data|stringData)$
  version: 3.13.3
`
	return finding.Rule{
		Name:     ruleUnused,
		Severity: finding.Warning,
		Title:    "Nothing names an encrypted Secret",
		Doc: "No text of any object of any target, and no file beside them, has the Secret's name. It probably outlived " +
			"what used it, and still grants what its values grant. Secrets that are found by a label or under a name that " +
			"a program knows are left out where that is known.",
		Fix: "Delete the Secret and withdraw its credentials, or waive the finding with the name of the program that reads it.",
		Bad: finding.Example{"secret.yaml": secret},
		Good: finding.Example{"secret.yaml": secret, "pod.yaml": `apiVersion: v1
kind: Pod
metadata:
  name: shop
  namespace: shop
spec:
  containers:
    - name: shop
      image: registry.example.com/shop:1.4.2
      envFrom:
        - secretRef:
            name: shop-db
`},
	}
}

// exampleValue is a well-formed encrypted value that encrypts nothing.
const exampleValue = "ENC[AES256_GCM,data:AAAAAAAA,iv:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=,tag:AAAAAAAAAAAAAAAAAAAAAA==,type:str]"
