package finding

// Rule is the documentation of one kind of finding. `explain`, the SARIF help
// and docs/rules.md all come from it, and a test runs both examples.
type Rule struct {
	Name     string   // stable, kebab-case
	Severity Severity // the default; the configuration may change it
	Title    string   // one line, no full stop
	Doc      string   // what it means and why it matters; Markdown, a few sentences
	Fix      string   // the next step, imperative
	Bad      Example  // gives at least one finding of this rule
	Good     Example  // the same thing done right: gives none
}

// Example is a tiny repository: file contents by path.
type Example map[string]string
