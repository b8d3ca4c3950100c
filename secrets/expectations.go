package secrets

// Expectations is what the project says about its secrets beyond what the files
// themselves say: the configuration, and the creation rules of the revision that
// is trusted. The zero value expects nothing, and then only the structure of
// files is judged.
type Expectations struct {
	// Creation returns the creation rule for a file, whose path is relative to
	// the repository root. It is false where there are rules and none is for the
	// file, and the rule is nil where it is not known what the file should be
	// like. A nil function means that no rules are known. See [CreationFor].
	Creation func(path string) (*CreationRule, bool)

	// Bind says which namespaces the secrets of a file may reach.
	Bind []Binding

	// Environments says who may open the secrets of a target.
	Environments []Environment

	// KeyTypes are the kinds of keys beside age's own that files may be encrypted
	// for: a [RecipientKind], or "age-plugin:NAME" for the plugin of that name.
	KeyTypes []string

	// Metadata are doublestar patterns of annotations and labels that Secrets with
	// encrypted values may have, whatever controllers do because of them.
	Metadata []string

	// NoBase says that there is no earlier state to compare with, so that what no
	// MAC covers is not taken on trust: for whoever applies.
	NoBase bool

	// From names the revision that Creation is of, where that is not the tree
	// itself; for messages.
	From string

	// Substitute are the Flux variables that may carry a secret out of a Secret.
	Substitute []string
}

// Binding ties files to namespaces. Files is a doublestar pattern of paths
// relative to the repository root, Namespaces are patterns of names.
type Binding struct {
	Files      string
	Namespaces []string
}

// Environment is one cluster, or several with the same keys. Targets are
// doublestar patterns of target paths; Recipients are the public identities of
// the keys that its clusters, and whoever looks after them, open files with.
type Environment struct {
	Name       string
	Targets    []string
	Recipients []string
}
