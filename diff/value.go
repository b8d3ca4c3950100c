package diff

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"unicode/utf8"
)

// maxText is how many characters of a text are shown.
const maxText = 500

// cut shortens a text and says by how much.
func cut(s string, most int) string {
	n := utf8.RuneCountInString(s)
	if n <= most {
		return s
	}
	return fmt.Sprintf("%s… (%d more characters)", string([]rune(s)[:most]), n-most)
}

// shorten cuts every long text in a value, which it may change.
func shorten(value any) any {
	switch value := value.(type) {
	case string:
		return cut(value, maxText)
	case map[string]any:
		for key, item := range value {
			value[key] = shorten(item)
		}
	case []any:
		for i, item := range value {
			value[i] = shorten(item)
		}
	case float64:
		if math.IsInf(value, 0) || math.IsNaN(value) {
			return fmt.Sprint(value) // JSON has no word for it
		}
	}
	return value
}

// equal compares decoded values; 1 and 1.0 are the same number.
func equal(a, b any) bool {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for key, item := range x {
			other, ok := y[key]
			if !ok || !equal(item, other) {
				return false
			}
		}
		return true
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !equal(x[i], y[i]) {
				return false
			}
		}
		return true
	case int64:
		if y, ok := b.(float64); ok {
			return float64(x) == y
		}
	case float64:
		if y, ok := b.(int64); ok {
			return x == float64(y)
		}
	}
	return reflect.DeepEqual(a, b)
}

// canonical writes a value so that equal values give equal texts.
func canonical(value any) string {
	text, err := json.Marshal(value) // sorts keys; writes 1.0 as 1
	if err != nil {
		return fmt.Sprintf("%#v", value) // an infinite number
	}
	return string(text)
}

func isScalar(v any) bool {
	switch v.(type) {
	case map[string]any, []any:
		return false
	}
	return true
}
