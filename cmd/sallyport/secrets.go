package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/sallyport/sallyport/finding"
	"github.com/sallyport/sallyport/gate"
	"github.com/sallyport/sallyport/report"
	"github.com/sallyport/sallyport/secrets"
)

func newSecrets(s *streams) *cobra.Command {
	var flags readFlags
	var targets []string
	var format string
	cmd := &cobra.Command{
		Use:   "secrets [PATH]",
		Short: "List the encrypted files, who can open them and what uses them",
		Long: `secrets lists the files that sops encrypted: the creation rule that matches each,
its recipients, how many values it holds, when it was changed last, and the
targets and fields that its values are rendered into. It opens none of them.`,
		Example: `  sallyport secrets
  sallyport secrets apps/prod --target 'clusters/prod/**'
  sallyport secrets -o json --rev main`,
		GroupID: groupMain,
		Args:    arguments(0, 1, "PATH"),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts, err := flags.options(cmd)
			if err != nil {
				return err
			}
			if format != "text" && format != "json" {
				return usage(cmd, fmt.Errorf("-o %q: unknown format (known: text, json)", format))
			}
			if len(args) > 0 {
				opts.Path = args[0]
			}
			opts.Targets = targets
			var inventory *gate.Inventory
			err = s.watch(cmd.Context(), &flags, &opts, func() (err error) {
				inventory, err = gate.Secrets(cmd.Context(), opts)
				return err
			})
			if err != nil {
				return err
			}
			if format == "json" {
				return writeSecretsJSON(s, inventory)
			}
			return writeSecrets(s, inventory)
		},
	}
	targetFlag(cmd, &targets)
	cmd.Flags().StringVarP(&format, "output", "o", "text", "print as `FORMAT`: text or json")
	flags.add(cmd)
	complete(cmd, "output", "text", "json")
	return cmd
}

// writeSecrets prints one line for each file, as programs want it, and people
// whose terminal is wide enough. In a narrow one the uses go below their file.
func writeSecrets(s *streams, inv *gate.Inventory) error {
	var out bytes.Buffer
	if secretTable(&out, inv, false); s.outTTY && widest(out.String()) > s.columns() {
		out.Reset()
		secretTable(&out, inv, true)
	}
	if len(inv.Files) == 0 {
		out.Reset()
		fmt.Fprintln(&out, "no encrypted file")
	}
	for _, t := range inv.NotRendered {
		fmt.Fprintf(&out, "not rendered, so its uses are not known: %s\n", report.Sanitize(t))
	}
	if _, err := s.out.Write(out.Bytes()); err != nil {
		return fmt.Errorf("standard output: %w", err)
	}
	return nil
}

// secretTable writes the files; nested puts each use on a line of its own.
func secretTable(out *bytes.Buffer, inv *gate.Inventory, nested bool) {
	// A buffer takes everything, so that no error is left to look at.
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	heading := "FILE\tFORMAT\tRULE\tRECIPIENTS\tVALUES\tCHANGED"
	if !nested {
		heading += "\tUSED BY"
	}
	fmt.Fprintln(w, heading)
	for _, f := range inv.Files {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s", report.Sanitize(f.Path), f.Format, ruleName(f.Rule), recipients(f.Recipients), f.Values, changed(f))
		if !nested {
			fmt.Fprintf(w, "\t%s", strings.Join(uses(f), "; "))
		}
		fmt.Fprintln(w)
	}
	w.Flush()
	if nested {
		nestUses(out, inv)
	}
}

// nestUses puts the uses of each file below its line.
func nestUses(out *bytes.Buffer, inv *gate.Inventory) {
	lines := strings.SplitAfter(out.String(), "\n")
	out.Reset()
	out.WriteString(lines[0])
	for i, f := range inv.Files {
		out.WriteString(lines[i+1])
		for _, use := range uses(f) {
			out.WriteString("    " + use + "\n")
		}
	}
}

func ruleName(rule *secrets.CreationRule) string {
	switch {
	case rule == nil:
		return "none"
	case rule.PathRegex == "":
		return "(every file)"
	}
	return report.Sanitize(rule.PathRegex)
}

func recipients(in []secrets.Recipient) string {
	out := make([]string, len(in))
	for i, r := range in {
		out[i] = string(r.Kind) + " " + shorten(report.Sanitize(r.ID))
	}
	if len(out) == 0 {
		return "none"
	}
	return strings.Join(out, ", ")
}

// What is left of an identity in the table: enough to tell keys apart. The
// beginnings of age recipients are all alike, so that the end is kept too.
const (
	idHead = 10
	idTail = 6
)

func shorten(id string) string {
	runes := []rune(id)
	if len(runes) <= idHead+idTail+1 {
		return id
	}
	return string(runes[:idHead]) + "…" + string(runes[len(runes)-idTail:])
}

// changed says when a file was committed last.
func changed(f gate.EncryptedFile) string {
	if f.Changed.IsZero() {
		return "not committed"
	}
	return fmt.Sprintf("%s (%s)", f.Changed.UTC().Format(time.DateOnly), days(f.Age))
}

func days(age time.Duration) string {
	switch n := int(age / (24 * time.Hour)); n {
	case 0:
		return "today"
	case 1:
		return "1 day"
	default:
		return fmt.Sprintf("%d days", n)
	}
}

// uses lists the fields of a file's values, with one entry for each object.
func uses(f gate.EncryptedFile) []string {
	var out []string
	for i, u := range f.Uses {
		where := u.Target + ": " + u.Object.String()
		field := strings.ReplaceAll(strings.TrimPrefix(u.Pointer, "/"), "/", ".")
		if i > 0 && f.Uses[i-1].Target == u.Target && f.Uses[i-1].Object == u.Object {
			out[len(out)-1] += ", " + report.Sanitize(field)
			continue
		}
		out = append(out, report.Sanitize(where+" "+field))
	}
	if len(out) == 0 {
		return []string{"nothing"}
	}
	return out
}

// defaultColumns is the width of a terminal that does not say how wide it is.
const defaultColumns = 80

// columns is how many characters fit on a line of the terminal.
func (s *streams) columns() int {
	if f, ok := s.out.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return defaultColumns
}

func widest(text string) int {
	most := 0
	for line := range strings.Lines(text) {
		most = max(most, utf8.RuneCountInString(strings.TrimRight(line, " \n")))
	}
	return most
}

// secretsDocument is the JSON form of an inventory.
type secretsDocument struct {
	APIVersion  string           `json:"apiVersion"`
	Kind        string           `json:"kind"`
	Snapshot    finding.Snapshot `json:"snapshot"`
	Files       []secretFile     `json:"files"`
	NotRendered []string         `json:"notRendered"`
}

type secretFile struct {
	Path       string            `json:"path"`
	Format     secrets.Format    `json:"format"`
	Rule       *secretRule       `json:"rule"` // null where none matches
	Recipients []secretRecipient `json:"recipients"`
	Values     int               `json:"values"`
	Changed    string            `json:"changed"` // RFC 3339, empty where it is not committed
	AgeDays    int               `json:"ageDays"`
	Uses       []secretUse       `json:"uses"`
}

type secretRule struct {
	PathRegex string       `json:"pathRegex"`
	Location  finding.Span `json:"location"`
}

type secretRecipient struct {
	Kind  secrets.RecipientKind `json:"kind"`
	ID    string                `json:"id"`
	Group int                   `json:"group"`
}

type secretUse struct {
	Target  string         `json:"target"`
	Object  finding.Object `json:"object"`
	Pointer string         `json:"pointer"`
	Key     string         `json:"key"`
}

func writeSecretsJSON(s *streams, inv *gate.Inventory) error {
	doc := secretsDocument{
		APIVersion: finding.APIVersion, Kind: "Secrets", Snapshot: inv.Snapshot,
		Files: []secretFile{}, NotRendered: append([]string{}, inv.NotRendered...),
	}
	for _, f := range inv.Files {
		doc.Files = append(doc.Files, secretFileOf(f))
	}
	return report.WriteJSON(s.out, doc)
}

func secretFileOf(f gate.EncryptedFile) secretFile {
	out := secretFile{
		Path: f.Path, Format: f.Format, Values: f.Values, AgeDays: int(f.Age / (24 * time.Hour)),
		Recipients: []secretRecipient{}, Uses: []secretUse{},
	}
	if f.Rule != nil {
		out.Rule = &secretRule{f.Rule.PathRegex, f.Rule.Span}
	}
	if !f.Changed.IsZero() {
		out.Changed = f.Changed.UTC().Format(time.RFC3339)
	}
	for _, r := range f.Recipients {
		out.Recipients = append(out.Recipients, secretRecipient{r.Kind, r.ID, r.Group})
	}
	for _, u := range f.Uses {
		out.Uses = append(out.Uses, secretUse(u))
	}
	return out
}
