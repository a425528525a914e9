package observe

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/systole-ha/systole/test/cluster"
	"github.com/systole-ha/systole/test/lab"
)

// webConfig demands a certificate of the client, as the exporter toolkit has
// it.
const webConfig = `tls_server_config:
  cert_file: server.crt
  key_file: server.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: ca.crt
`

// TestMutualTLS asks for the metrics with and without a certificate, and again
// after the server's was replaced.
func TestMutualTLS(t *testing.T) {
	f := files(calm, []string{"alpha " + address}, "auto_failback on")
	f["systole.yaml"] += "web:\n  config_file: /etc/systole-web/web.yml\n"
	s := newSite(t, f)
	ca := newAuthority(t)
	first, second := ca.issue(t, "first", s.alpha), ca.issue(t, "second", s.alpha)
	install := func(c certificate) error {
		return s.alpha.Configure("/etc/systole-web", lab.Files{
			"web.yml": webConfig, "ca.crt": ca.text, "server.crt": c.text, "server.key": c.key,
		})
	}
	must(t, install(first))
	checkWebConfig(t, lab.Files{"web.yml": webConfig, "ca.crt": ca.text, "server.crt": first.text, "server.key": first.key})
	must(t, cluster.Start(soon(t), s.alpha))
	pid := s.run(s.alpha, "systemctl", "show", "--value", "--property=MainPID", cluster.Unit)

	good, bad := ca.issue(t, "prometheus", s.alpha), newAuthority(t).issue(t, "stranger", s.alpha)
	s.eventually("an answer to a client that the authority knows", func() error {
		name, err := s.askTLS(ca, &good)
		if err == nil && name != "first" {
			err = fmt.Errorf("the server calls itself %s", name)
		}
		return err
	})
	if name, err := s.askTLS(ca, nil); err == nil {
		t.Errorf("%s answers a client without a certificate", name)
	} else {
		t.Logf("without a certificate: %v", err)
	}
	if name, err := s.askTLS(ca, &bad); err == nil {
		t.Errorf("%s answers a client of another authority", name)
	}
	plain, err := s.http.Get("http://" + metricsAddress(s.alpha) + "/metrics")
	if err == nil {
		plain.Body.Close()
	}
	if err == nil && plain.StatusCode == http.StatusOK {
		t.Errorf("it answers without TLS")
	}

	must(t, install(second))
	if name, err := s.askTLS(ca, &good); err != nil || name != "second" {
		t.Errorf("after its certificate was replaced the server calls itself %s, %v", name, err)
	}
	if got := s.run(s.alpha, "systemctl", "show", "--value", "--property=MainPID", cluster.Unit); got != pid {
		t.Errorf("the daemon was restarted")
	}
}

// checkWebConfig asks promtool what it thinks of the files.
func checkWebConfig(t *testing.T, files lab.Files) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	if out, err := exec.Command("promtool", "check", "web-config", filepath.Join(dir, "web.yml")).CombinedOutput(); err != nil {
		t.Errorf("promtool check web-config: %v\n%s", err, out)
	}
}

// askTLS asks alpha for its metrics and gives the name in its certificate.
func (s *site) askTLS(ca authority, own *certificate) (string, error) {
	config := &tls.Config{RootCAs: x509.NewCertPool()}
	config.RootCAs.AddCert(ca.certificate)
	if own != nil {
		pair, err := tls.X509KeyPair([]byte(own.text), []byte(own.key))
		if err != nil {
			return "", err
		}
		config.Certificates = []tls.Certificate{pair}
	}
	transport := &http.Transport{DialContext: s.lab.Client().Dial, TLSClientConfig: config, DisableKeepAlives: true}
	client := http.Client{Transport: transport, Timeout: 5 * time.Second}
	response, err := client.Get("https://" + metricsAddress(s.alpha) + "/metrics")
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return "", errors.New(response.Status)
	}
	return response.TLS.PeerCertificates[0].Subject.CommonName, nil
}

// An authority signs certificates.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	text        string // PEM
}

// A certificate is one that an authority has issued, and its key, in PEM.
type certificate struct{ text, key string }

func newAuthority(t *testing.T) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(t, err)
	signed, err := x509.ParseCertificate(der)
	must(t, err)
	return authority{signed, key, encode("CERTIFICATE", der)}
}

// issue signs a certificate that is good for a node's address, both for a
// server and for a client.
func (a authority) issue(t *testing.T, name string, n *lab.Node) certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{n.Host(lab.Service).AsSlice()},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &key.PublicKey, a.key)
	must(t, err)
	private, err := x509.MarshalECPrivateKey(key)
	must(t, err)
	return certificate{encode("CERTIFICATE", der), encode("EC PRIVATE KEY", private)}
}

func encode(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}
