package arbiter

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// A Store is how etcd or Consul is reached: over HTTP with JSON, as both
// document it, which costs the daemon no library.
type Store struct {
	URLs          []string // one after the other is tried
	Key           string   // that is held
	Node          string
	Secret        func() string // user:password of etcd, token of Consul; "" for none
	CA, Cert, Pem string        // files: see http
}

// maxBody bounds what is read of an answer, in bytes.
const maxBody = 1 << 16

// client makes what sends requests. The files are read once, at the start.
func (s Store) client() (*http.Client, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.CA != "" {
		text, err := os.ReadFile(s.CA)
		if err != nil {
			return nil, err
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%s holds no certificate", s.CA)
		}
	}
	if s.Cert != "" {
		pair, err := tls.LoadX509KeyPair(s.Cert, s.Pem)
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: config, MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute}}, nil
}

// errStatus is an answer that is a refusal of the request itself.
type errStatus struct {
	code int
	text string
}

func (e *errStatus) Error() string { return fmt.Sprintf("status %d: %s", e.code, e.text) }

func refused(err error, code int) bool {
	e := (*errStatus)(nil)
	return errors.As(err, &e) && e.code == code
}

// exchange sends a request and decodes the answer into reply, unless that is
// nil.
func exchange(ctx context.Context, c *http.Client, method, url string, header http.Header, body, reply any) error {
	var text io.Reader
	switch body := body.(type) {
	case nil:
	case []byte:
		text = bytes.NewReader(body)
	default:
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		text = bytes.NewReader(b)
	}
	request, err := http.NewRequestWithContext(ctx, method, url, text)
	if err != nil {
		return err
	}
	for name, values := range header {
		request.Header[name] = values
	}
	response, err := c.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	b, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return &errStatus{response.StatusCode, string(bytes.TrimSpace(b[:min(len(b), 200)]))}
	}
	if reply == nil {
		return nil
	}
	return json.Unmarshal(b, reply)
}
