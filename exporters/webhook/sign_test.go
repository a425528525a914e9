package webhook

import (
	"encoding/base64"
	"net/http"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// TestSign has the library of Standard Webhooks verify.
func TestSign(t *testing.T) {
	secrets := [][]byte{[]byte("the-new-secret-of-24-bytes"), []byte("the-old-secret-of-24-bytes")}
	body := []byte(`{"specversion":"1.0"}`)
	h := http.Header{}
	sign(h, secrets, "beta-4f2a91c0-7-42", time.Now(), body)
	for _, tt := range []struct {
		name   string
		secret string
		change func(h http.Header) []byte
		fails  bool
	}{
		{"by the new secret", string(secrets[0]), nil, false},
		{"by the old one", string(secrets[1]), nil, false},
		{"not by another", "another-secret-of-24-bytes", nil, true},
		{"not with another body", string(secrets[0]), func(http.Header) []byte { return []byte(`{"specversion":"1.1"}`) }, true},
		{"not with another id", string(secrets[0]), func(h http.Header) []byte { h.Set("webhook-id", "beta-4f2a91c0-7-43"); return body }, true},
		{"not at another time", string(secrets[0]), func(h http.Header) []byte { h.Set("webhook-timestamp", "1763770012"); return body }, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			verifier, err := standardwebhooks.NewWebhook("whsec_" + base64.StdEncoding.EncodeToString([]byte(tt.secret)))
			if err != nil {
				t.Fatal(err)
			}
			told, read := h.Clone(), body
			if tt.change != nil {
				read = tt.change(told)
			}
			if err := verifier.Verify(read, told); (err != nil) != tt.fails {
				t.Errorf("Verify = %v", err)
			}
		})
	}
}

func TestWithoutASecretNothingIsSigned(t *testing.T) {
	h := http.Header{}
	sign(h, nil, "1", time.Unix(1763770012, 0), nil)
	if h.Get("webhook-signature") != "" || h.Get("webhook-id") != "1" || h.Get("webhook-timestamp") != "1763770012" {
		t.Errorf("headers: %v", h)
	}
}
