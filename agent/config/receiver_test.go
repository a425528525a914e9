package config

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

const receivers = "node alpha beta\nbcast eth0 eth1\nauto_failback on\n"

// secret is "0123456789abcdef01234567".
const secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"

func TestSecretsAreNotShown(t *testing.T) {
	c, ds := Load(with(map[string]string{HaCf: receivers + "webhook pager http://192.0.2.9/ secret=s\n", "s": secret + "\n"}), machine("alpha"))
	if ds.Err() != nil || len(c.Webhooks) != 1 {
		t.Fatalf("Load: %d webhooks\n%s", len(c.Webhooks), ds)
	}
	if got := string(c.Webhooks[0].Secrets.Values()[0]); got != "0123456789abcdef01234567" {
		t.Errorf("the secret is %q", got)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		shown := fmt.Sprintf(verb, c) + fmt.Sprintf(verb, c.Webhooks[0]) + fmt.Sprintf(verb, *c.Webhooks[0].Secrets)
		if strings.Contains(shown, "0123456789abcdef") || strings.Contains(shown, "MDEyMzQ1") || strings.Contains(shown, "48 49 50") {
			t.Errorf("%s shows the secret: %s", verb, shown)
		}
	}
}

func TestSecretsAreForRootAlone(t *testing.T) {
	for mode, want := range map[fs.FileMode][]string{
		0o600: {"ha.cf:4: note: webhook: " + ours},
		0o640: {"ha.cf:4: webhook: others can read s (mode 0640); chmod 600 s"},
		0o604: {"ha.cf:4: webhook: others can read s (mode 0604); chmod 600 s"},
	} {
		fsys := with(map[string]string{HaCf: receivers + "webhook pager http://192.0.2.9/ secret=s\n"})
		fsys["s"] = &fstest.MapFile{Data: []byte(secret), Mode: mode}
		_, ds := Load(fsys, machine("alpha"))
		check(t, ds, want)
	}
}

func TestReceiversAreFew(t *testing.T) {
	text := receivers
	for i := range maxReceivers + 1 {
		text += fmt.Sprintf("webhook w%d http://192.0.2.9/ secret=s\nalertmanager http://192.0.2.%d\n", i, i)
	}
	c, ds := Load(with(map[string]string{HaCf: text, "s": secret}), machine("alpha"))
	if len(c.Webhooks) != maxReceivers || len(c.Alertmanagers) != maxReceivers || ds.Count(Error) != 2 {
		t.Errorf("%d webhooks and %d Alertmanagers\n%s", len(c.Webhooks), len(c.Alertmanagers), ds)
	}
}
