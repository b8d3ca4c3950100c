package validate

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// limit says which limit of the schema a value breaks, as the end of a
// sentence that begins with the value's path. What it quotes is the schema's.
func limit(k jsonschema.ErrorKind) (message, help string) {
	switch k := k.(type) {
	case *kind.Enum:
		return enumerated(k.Want), ""
	case *kind.Const:
		return enumerated([]any{k.Want}), ""
	case *kind.Format:
		return formatted(k.Want)
	case *kind.Pattern:
		return "must match the pattern " + k.Want, ""
	case *kind.Minimum:
		return "must be at least " + number(k.Want), ""
	case *kind.Maximum:
		return "must be at most " + number(k.Want), ""
	case *kind.ExclusiveMinimum:
		return "must be more than " + number(k.Want), ""
	case *kind.ExclusiveMaximum:
		return "must be less than " + number(k.Want), ""
	case *kind.MultipleOf:
		return "must be a multiple of " + number(k.Want), ""
	case *kind.MinLength:
		return "must have at least " + count(k.Want, "character"), ""
	case *kind.MaxLength:
		return "must have at most " + count(k.Want, "character"), ""
	case *kind.MinItems:
		return "must have at least " + count(k.Want, "item"), ""
	case *kind.MaxItems:
		return "must have at most " + count(k.Want, "item"), ""
	case *kind.MinProperties:
		return "must have at least " + count(k.Want, "field"), ""
	case *kind.MaxProperties:
		return "must have at most " + count(k.Want, "field"), ""
	case *kind.UniqueItems:
		return fmt.Sprintf("must not repeat itself, and items %d and %d are equal", k.Duplicates[0], k.Duplicates[1]), ""
	case *kind.AdditionalItems:
		return "has " + count(k.Count, "item") + " too many", ""
	case *kind.FalseSchema:
		return "must not be set", ""
	case *kind.InvalidJsonValue:
		return "is not a value that JSON can hold", ""
	}
	return "does not satisfy the " + keyword(k) + " of its schema", ""
}

func enumerated(want []any) string {
	var names []string
	for _, w := range want {
		switch w := w.(type) {
		case string:
			names = append(names, plain(w))
		case map[string]any, []any:
			return "must be one of the values that its schema lists"
		case nil:
			names = append(names, "null")
		default:
			names = append(names, fmt.Sprint(w))
		}
	}
	if len(names) == 1 {
		return "must be " + names[0]
	}
	return "must be one of " + strings.Join(names, ", ")
}

// plain writes a word as it is, and anything else in quotes.
func plain(s string) string {
	if s == "" || strings.ContainsAny(s, " ,\t\n\"") {
		return strconv.Quote(s)
	}
	return s
}

// formatted says what a format expects, with an example where one helps.
func formatted(format string) (message, help string) {
	switch format {
	case "byte":
		return "must be base64", "encode the value; in a Secret, stringData takes it as it is"
	case "date-time":
		return "must be a date and time such as 2027-01-31T12:00:00Z", ""
	case "date":
		return "must be a date such as 2027-01-31", ""
	case "duration":
		return "must be a duration such as 1h30m", ""
	case "ipv4", "ipv6":
		return "must be an " + strings.Replace(format, "ip", "IP", 1) + " address", ""
	case "regex":
		return "must be a regular expression", ""
	case "uri":
		return "must be an absolute URI", ""
	}
	return "must have the format " + format, ""
}

func number(r *big.Rat) string {
	if r.IsInt() {
		return r.Num().String()
	}
	f, _ := r.Float64()
	return strconv.FormatFloat(f, 'g', -1, 64)
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
