package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"
)

// SignatureHeader carries `t=<unix seconds>,v1=<hex>`: the HMAC-SHA256, with
// the shared secret as its key, of the seconds, a dot and the body. A receiver
// refuses what is older than a few minutes, so that nothing can be replayed.
const SignatureHeader = "Sallyport-Signature"

// Webhook is any receiver of JSON. SecretFile, where given, holds the secret
// that signs each message.
type Webhook struct {
	URL        string
	URLFile    string // instead of URL, where the address is a credential
	SecretFile string
}

// notification is the body of a webhook.
type notification struct {
	APIVersion  string    `json:"apiVersion"`
	Kind        string    `json:"kind"`
	Environment string    `json:"environment"`
	Revision    string    `json:"revision"`
	State       State     `json:"state"`
	Title       string    `json:"title"`
	Details     []string  `json:"details"`
	Time        time.Time `json:"time"`
}

func (w Webhook) name() string { return "webhook" }

func (w Webhook) request(ctx context.Context, m Message) (*http.Request, error) {
	address := w.URL
	if w.URLFile != "" {
		var err error
		if address, err = credential(w.URLFile); err != nil {
			return nil, err
		}
	}
	n := notification{APIVersion: "sallyport.dev/v1", Kind: "Notification", Environment: m.Environment, Revision: m.Revision,
		State: m.State, Title: cut(m.Title, maxText), Details: []string{}, Time: m.Time.UTC()}
	for _, d := range m.details() {
		n.Details = append(n.Details, cut(d, maxText))
	}
	req, body, err := post(ctx, address, n)
	if err != nil || w.SecretFile == "" {
		return req, err
	}
	secret, err := credential(w.SecretFile)
	if err != nil {
		return nil, err
	}
	req.Header.Set(SignatureHeader, Sign([]byte(secret), m.Time, body))
	return req, nil
}

// Sign is the value of [SignatureHeader] for a body that is sent at a time.
func Sign(secret []byte, at time.Time, body []byte) string {
	seconds := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(seconds + "."))
	mac.Write(body)
	return "t=" + seconds + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}
