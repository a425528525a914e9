package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/systole-ha/systole/agent/config"
	"github.com/systole-ha/systole/agent/migrate"
	"github.com/systole-ha/systole/agent/migrate/heartbeat"
	"github.com/systole-ha/systole/agent/migrate/keepalived"
)

// TestImportChangesNothingByItself shows a plan, then writes it, and then finds
// nothing more to do.
func TestImportChangesNothingByItself(t *testing.T) {
	root := t.TempDir()
	conf := filepath.Join(root, "etc/keepalived/keepalived.conf")
	err := errors.Join(os.MkdirAll(filepath.Dir(conf), 0o755),
		os.WriteFile(conf, []byte("vrrp_instance A {\n state MASTER\n virtual_ipaddress {\n 192.0.2.50/24\n }\n}\n"), 0o644))
	if err != nil {
		t.Fatal(err)
	}
	carried := func(peer string, write bool) (int, string) {
		t.Helper()
		var out bytes.Buffer
		plan, err := keepalived.Convert(keepalived.Options{Root: os.DirFS(root), File: "/etc/keepalived/keepalived.conf", Node: "alpha", Peer: peer, To: "/etc/systole"})
		return carryOut(plan, err, root, write, &out, &out), out.String()
	}
	for _, step := range []struct {
		name, peer string
		write      bool
		code       int
		says       string
		files      int
	}{
		{"without the other node's name", "", true, importBlocked, "say --peer NAME", 0},
		{"shown", "beta", false, importFine, "Nothing was written: that takes --write.", 0},
		{"written", "beta", true, importFine, "/etc/systole/ha.cf is written", 3},
		{"again", "beta", true, importFine, "/etc/systole/authkeys is there already", 3},
	} {
		code, out := carried(step.peer, step.write)
		if code != step.code || !strings.Contains(out, step.says) {
			t.Errorf("%s: exit code %d, want %d, and %q in\n%s", step.name, code, step.code, step.says, out)
		}
		if got, _ := filepath.Glob(filepath.Join(root, "etc/systole/*")); len(got) != step.files {
			t.Errorf("%s: files %q, want %d", step.name, got, step.files)
		}
	}
	c, diagnostics := config.Load(os.DirFS(filepath.Join(root, "etc/systole")), config.Host{Name: "beta"})
	if diagnostics.Err() != nil || len(c.Groups) != 1 {
		t.Errorf("what was written has %d groups: %v", len(c.Groups), diagnostics.Err())
	}
}

// TestImportWithoutAnInstallation is an error, and no plan.
func TestImportWithoutAnInstallation(t *testing.T) {
	var out, errs bytes.Buffer
	plan, err := heartbeat.Plan(heartbeat.Options{Root: os.DirFS(t.TempDir()), Runs: registry{}.says})
	if code := carryOut(plan, err, "/", true, &out, &errs); code != importFailed || out.Len() > 0 || !strings.Contains(errs.String(), "say --from") {
		t.Errorf("exit code %d, output %q, errors %q", code, &out, &errs)
	}
	plan, err = keepalived.Convert(keepalived.Options{Root: os.DirFS(t.TempDir()), File: "/k.conf"})
	if code := carryOut(plan, err, "/", true, &out, &errs); code != importFailed || out.Len() > 0 {
		t.Errorf("exit code %d, output %q", code, &out)
	}
}

// TestImportAsksTheRegistry what runs a word, and the drivers what they think of
// it.
func TestImportAsksTheRegistry(t *testing.T) {
	r := toldBy(told{}, told{"apache2": {{Text: "apache2.service starts at boot"}}})
	r.fence = unsafeOnly
	root := os.DirFS(filepath.Join("testdata", "check"))
	plan, err := heartbeat.Plan(heartbeat.Options{Root: root, Host: elsewhere("alpha"), From: "/findings", Runs: r.says,
		Examine: func(c *config.Config) config.Diagnostics { return r.look(t.Context(), c) }})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	plan.Print(&out, root)
	for _, want := range []string{
		"apache2: Heartbeat runs nothing: there is no such script; systole: systemd: apache2.service, which is not there",
		"IPaddr::192.168.1.10/24: Heartbeat runs nothing: there is no such script; systole: ipaddr: 192.168.1.10/24",
		"  - /findings/haresources:1: apache2: apache2.service starts at boot\n",
		"redis::6380: Heartbeat runs nothing: there is no such script; systole: script: testdata/resource.d/redis 6380",
		"  - /findings/haresources:2: IPaddr::192.168.1.300: ",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
	if len(plan.Of(migrate.Blocks)) == 0 {
		t.Error("nothing is to be cured")
	}
}
