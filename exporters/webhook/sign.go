package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// sign sets the headers of Standard Webhooks: the id, the instant of this
// attempt, and a signature by each secret, so that one can be replaced by
// another without a gap. Without a secret there is no signature.
//
// Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
func sign(h http.Header, secrets [][]byte, id string, now time.Time, body []byte) {
	stamp := fmt.Sprint(now.Unix())
	h.Set("Webhook-Id", id)
	h.Set("Webhook-Timestamp", stamp)
	var signatures []string
	for _, secret := range secrets {
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(id + "." + stamp + "."))
		mac.Write(body)
		signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	if len(signatures) > 0 {
		h.Set("Webhook-Signature", strings.Join(signatures, " "))
	}
}
