package render

import (
	"errors"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/repo"
)

// follow checks one reference and returns the layer that it leads to, nil
// unless it leads to a kustomization.
func (w *planner) follow(k *kustomization, ref *reference, above []string) *layer {
	switch {
	case w.making != nil && ref.Role != roleResource && k != nil && ref.Entry != nil:
		w.fail(madeFault(ref.Span))
	case ref.Role == roleChart:
		w.fail(ref.fault("a Helm chart is not inflated: kustomize does that only with --enable-helm, by running helm", "render the chart into the repository, or deploy it with a HelmRelease or an Argo CD Application"))
	case ref.Remote:
		w.remote(ref)
	case ref.Inline:
		w.inline(k, ref)
	case ref.Path == ".." || strings.HasPrefix(ref.Path, "../"):
		w.fail(w.escape(ref))
	case ref.Text == "":
		w.fail(ref.fault(ref.named(), "remove the entry"))
	default:
		return w.local(k, ref, above)
	}
	return nil
}

// escape refuses a reference to a path above the root.
func (w *planner) escape(ref *reference) *fault {
	f := ref.fault(ref.named()+", which leads out of the repository", "keep everything that a target needs inside the repository")
	if !inGit(w.tree.tree) {
		f.Message = ref.named() + ", which leads out of the checked directory; this is no Git repository, so nothing above it is read"
		f.Help = "check the directory that holds everything that the target needs"
	}
	f.Rule = rulePathEscape
	return f
}

// inGit reports whether a tree is of a Git repository. A tree that cannot tell,
// by a method InGit, is.
func inGit(tree repo.Tree) bool {
	t, ok := tree.(interface{ InGit() bool })
	return !ok || t.InGit()
}

// local checks a reference to a path of the repository.
func (w *planner) local(k *kustomization, ref *reference, above []string) *layer {
	switch w.tree.at(ref.Path) {
	case nothing:
		if ambiguous(ref.Text) && strings.Contains(ref.Text, " ") {
			w.fail(joinedFault(ref))
			return nil
		}
		w.fail(ref.fault(ref.named()+", which does not exist", "correct the path, or remove the entry"))
	case aLink:
		f := linkFault(w.tree.tree, ref.Path)
		f.Span, f.Message = ref.Span, ref.named()+": "+f.Message
		w.fail(f)
	case aFile:
		w.file(k, ref)
	case aDirectory:
		return w.directory(k, ref, above)
	}
	return nil
}

// file checks a reference to a file that exists.
func (w *planner) file(k *kustomization, ref *reference) {
	if ref.Role == roleComponent {
		w.fail(ref.fault(ref.named()+", which is a file; a component is a directory", ""))
		return
	}
	if !within(k.Dir, ref.Path) {
		w.restrict(ref)
	}
	if ref.Role == roleData || ref.Role == roleEnv {
		w.data[ref.Path] = true
		if _, err := w.tree.ReadFile(ref.Path); err != nil {
			w.fail(unreadable(ref.Path, err))
		}
		return
	}
	if !w.inspect(ref.Path) {
		return
	}
	switch {
	case w.making != nil && ref.Role == roleResource:
		w.pluginFile(w.making, ref)
	case ref.isPlugin():
		w.pluginFile(k, ref)
	case ref.Role == roleResource:
		w.resources = append(w.resources, ref.Path)
	}
}

// inspect reads a file that kustomize will parse and checks that it is safe. It
// reports whether it is.
func (w *planner) inspect(file string) bool {
	w.manifests[file] = true
	data, err := w.tree.ReadFile(file)
	if err != nil {
		w.fail(unreadable(file, err))
		return false
	}
	fatal, rest := w.builder.check(file, data)
	if fatal != nil {
		w.fail(fatal)
		return false
	}
	w.warnings, w.sizes[file] = append(w.warnings, rest...), len(data)
	return true
}

// directory checks a reference to a directory that exists.
func (w *planner) directory(k *kustomization, ref *reference, above []string) *layer {
	if ref.Role != roleResource && ref.Role != roleComponent && !ref.isPlugin() {
		w.fail(ref.fault(ref.named()+", which is a directory; "+ref.Field+" takes a file", ""))
		return nil
	}
	if ambiguous(ref.Text) {
		w.fail(joinedFault(ref))
		return nil
	}
	for _, dir := range above {
		if within(ref.Path, dir) {
			w.fail(ref.fault(cycleMessage(ref, dir), "remove one of the references that form the circle"))
			return nil
		}
	}
	below, err := w.load(ref.Path)
	if errors.Is(err, errNoKustomization) {
		w.fail(ref.fault(ref.named()+", a directory without a kustomization file", "add a kustomization.yaml there, or list its files"))
		return nil
	}
	var f *fault
	if errors.As(err, &f) {
		w.fail(f)
		return nil
	}
	if below.Component != (ref.Role == roleComponent) {
		w.fail(kindFault(ref, below))
		return nil
	}
	if ref.isPlugin() {
		w.plugins, w.making = true, k
		defer func() { w.making = nil }()
	}
	return w.walk(below, ref, above)
}

// isPlugin reports whether the reference names generators, transformers or
// validators.
func (r *reference) isPlugin() bool {
	return r.Role == roleGenerator || r.Role == roleTransformer || r.Role == roleValidator
}

// madeFault refuses a generator or transformer that is itself the product of
// patches: what it holds in the end, a path, an address or YAML text, can be
// judged only after kustomize has acted on it.
func madeFault(span finding.Span) *fault {
	return &fault{
		Rule: ruleRenderError, Message: "a generator or transformer is put together by kustomize, so it cannot be checked before it runs",
		Help: "write the generator or transformer out in one file", Span: span,
	}
}

func joinedFault(ref *reference) *fault {
	return ref.fault(ref.named()+", in which two paths seem to be joined", "check the indentation of the list")
}

func cycleMessage(ref *reference, dir string) string {
	if ref.Path == dir {
		return ref.named() + ", which closes a cycle"
	}
	return ref.named() + ", a directory above one that is already being built"
}

func kindFault(ref *reference, below *kustomization) *fault {
	f := ref.fault(ref.named()+", which is no Component", "set kind: Component there, or list it under resources")
	if below.Component {
		f = ref.fault(ref.named()+", which is a Component", "list it under components")
	}
	f.Related = []finding.Related{{Message: "this kustomization", Location: finding.Span{File: below.Path}}}
	return f
}

// remote refuses a reference to the network, or notes that it is allowed.
func (w *planner) remote(ref *reference) {
	if w.builder.opts.AllowNetwork {
		w.network = true
		return
	}
	f := ref.fault(ref.Field+" names "+withoutCredentials(ref.Text)+", which is on the network", "vendor it into the repository, or allow the network")
	f.Rule = ruleRemoteReference
	w.fail(f)
}

// inline checks text that stands in place of a file.
func (w *planner) inline(k *kustomization, ref *reference) {
	if f := w.unsafeText(ref); f != nil {
		w.fail(f)
		return
	}
	if ref.isPlugin() {
		w.pluginText(k, ref)
	}
}

// restrict notes a file that only a build without load restriction may read.
func (w *planner) restrict(ref *reference) {
	w.unrestricted = true
	f := ref.fault(ref.named()+", outside the directory of its kustomization", "Flux builds this; kustomize and Argo CD refuse it: move the file below the kustomization, or give its directory a kustomization of its own")
	f.Rule = ruleLoadRestriction
	w.warnings = append(w.warnings, f)
}

// fault is a render-error at the reference.
func (r *reference) fault(message, help string) *fault {
	return &fault{Rule: ruleRenderError, Message: message, Help: help, Span: r.Span}
}

// named begins a sentence about the reference.
func (r *reference) named() string {
	if r.Text == "" {
		return r.Field + " has an empty entry"
	}
	return r.Field + " names " + r.Text
}

// within reports whether a clean path is dir or lies below it.
func within(dir, name string) bool {
	return dir == "." || name == dir || strings.HasPrefix(name, dir+"/")
}

// ambiguous is kustomize's test for two list items that became one scalar.
func ambiguous(text string) bool {
	return slices.ContainsFunc(strings.Split(text, "/"), func(part string) bool {
		return part != ".." && strings.Contains(part, "..")
	})
}
