package cluster

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
)

// withoutValue takes the offending value out of the text of a validation error,
// which is `Invalid value: <value>: <why>` (apimachinery's field.Error). What
// cannot be taken apart for certain loses everything after the prefix.
func withoutValue(message string) string {
	for _, prefix := range []string{"Invalid value", "Unsupported value", "Not found", "Duplicate value", "Too many", "Too few"} {
		rest, ok := strings.CutPrefix(message, prefix+": ")
		if !ok {
			continue
		}
		if why := afterValue(rest); why != "" {
			return prefix + ": " + why
		}
		return prefix
	}
	return message
}

// afterValue skips a value that was written as a quoted string, as JSON, or as
// a number or boolean, and the colon after it.
func afterValue(s string) string {
	if quoted, err := strconv.QuotedPrefix(s); err == nil {
		return strings.TrimPrefix(s[len(quoted):], ": ")
	}
	if strings.HasPrefix(s, "{") || strings.HasPrefix(s, "[") {
		d := json.NewDecoder(strings.NewReader(s))
		var skipped json.RawMessage
		if d.Decode(&skipped) != nil {
			return ""
		}
		return strings.TrimPrefix(s[d.InputOffset():], ": ")
	}
	scalar, why, _ := strings.Cut(s, ": ")
	if strings.ContainsAny(scalar, " \t\n") { // not a scalar but prose, as in "Too many: 3 items"
		return ""
	}
	return why
}

// typed matches the value that structured-merge-diff quotes in a type error.
var typed = regexp.MustCompile(`, got &?value\.value[^\n]*|, got [^\n]*Value:[^\n]*`)

// withoutTypes takes the value out of a type error.
func withoutTypes(message string) string {
	return typed.ReplaceAllString(message, ", got another type")
}
