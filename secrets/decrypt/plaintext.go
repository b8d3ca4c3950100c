package decrypt

import (
	"fmt"
	"io"
	"log/slog"
)

// dots stand for every value, whatever its length.
const dots = "••••••••"

// opaque makes a type print as dots: in every verb of fmt, as JSON, as text and
// in slog. Where fmt cannot call methods, within an unexported field of another
// type, it prints what the fields hold: so values are kept in closures.
type opaque struct{}

// Format prints dots for every verb and flag.
func (opaque) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, dots) }

// String prints dots.
func (opaque) String() string { return dots }

// GoString prints dots.
func (opaque) GoString() string { return dots }

// MarshalJSON prints dots.
func (opaque) MarshalJSON() ([]byte, error) { return []byte(`"` + dots + `"`), nil }

// MarshalText prints dots.
func (opaque) MarshalText() ([]byte, error) { return []byte(dots), nil }

// LogValue prints dots.
func (opaque) LogValue() slog.Value { return slog.StringValue(dots) }

// Plaintext is one decrypted value. It cannot be printed, only revealed.
type Plaintext struct {
	opaque
	reveal func() string
}

// NewPlaintext hides a value.
func NewPlaintext(text string) Plaintext {
	return Plaintext{reveal: func() string { return text }}
}

// Reveal returns the value. Whoever calls it answers for where it goes.
func (p Plaintext) Reveal() string {
	if p.reveal == nil {
		return ""
	}
	return p.reveal()
}
