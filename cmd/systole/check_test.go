package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/systole-ha/systole/agent/config"
	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/fence"
	"github.com/systole-ha/systole/resources/ocf"
	"github.com/systole-ha/systole/resources/script"
	"github.com/systole-ha/systole/resources/systemd"
)

var updateCheck = flag.Bool("update-check", false, "rewrite the golden files of systole check")

// A told is a driver that says what it is told to about a resource.
type told map[string][]resources.Finding

func (told) Start(context.Context, resources.Spec) error { return errors.ErrUnsupported }
func (told) Stop(context.Context, resources.Spec) error  { return errors.ErrUnsupported }
func (told) Status(context.Context, resources.Spec) (resources.Status, error) {
	return resources.Unknown, errors.ErrUnsupported
}
func (d told) Check(_ context.Context, s resources.Spec) []resources.Finding { return d[s.String()] }

// unsafeOnly says of a device what can be said without its agent.
func unsafeOnly(d fence.Device, _ context.Context, _ fence.Action) []resources.Finding {
	if why := d.Unsafe(); why != "" {
		return []resources.Finding{{Text: d.Agent + " is UNSAFE: " + why}}
	}
	return nil
}

// folder reads the files of a configuration. Git does not keep the mode that
// authkeys must have.
func folder(t *testing.T, dir string) fstest.MapFS {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no files in %s: %v", dir, err)
	}
	files := fstest.MapFS{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(name)] = &fstest.MapFile{Data: text, Mode: 0o600}
	}
	return files
}

// elsewhere is a machine that has every interface and serial port.
func elsewhere(name string) config.Host {
	return config.Host{
		Name:      name,
		Interface: func(string) (netip.Addr, error) { return netip.MustParseAddr("192.168.1.255"), nil },
		Serial:    func(string) error { return nil },
	}
}

// toldBy is a registry with these drivers, and of what is built in nothing but the
// names, on a machine with the scripts of testdata.
func toldBy(addresses, units resources.Driver) registry {
	scripts := script.Folders{filepath.Join("testdata", "resource.d")}
	installed := software{script: scripts.Find, unit: func(s resources.Spec) bool { return s.Name == "both" }}
	return registry{software: installed}.
		with(driverIPAddr, addresses, addressWords...).
		with(driverSystemd, units).
		with("filesystem", told{}, "Filesystem").
		with("drbd", told{}, "drbddisk", "datadisk", "drbdupper").
		with("mail", told{}, "MailTo").
		with("sendarp", told{}, "SendArp").
		with("srcaddr", told{}, "IPsrcaddr").
		with("portblock", told{}, "portblock").
		with("delay", told{}, "Delay").
		with(driverOCF, ocf.New(ocf.Config{Root: filepath.Join("testdata", "ocf")})).
		with(driverScript, script.New(scripts, script.Environment{}, nil))
}

// TestCheck pins the whole output, for configurations found in the wild and
// two of our own.
func TestCheck(t *testing.T) {
	wild := filepath.Join("..", "..", "agent", "config", "testdata")
	bus := told{"apache2": {{Text: "apache2.service is enabled: it will start at boot, on both nodes; systemctl disable it"}}}
	for _, tt := range []struct {
		name, dir, node string
		systemd         told
		code, strict    int
	}{
		{"web", filepath.Join(wild, "web"), "web1", nil, 0, 1},
		{"serial", filepath.Join(wild, "serial"), "ha-1.talmeida.com.br", nil, 2, 2},
		{"udp-lower", filepath.Join(wild, "udp-lower"), "ha-1.talmeida.com.br", nil, 2, 2},
		{"findings", filepath.Join("testdata", "check", "findings"), "alpha", bus, 2, 2},
		{"fine", filepath.Join("testdata", "check", "fine"), "alpha", nil, 0, 0},
		{"fenced", filepath.Join("testdata", "check", "fenced"), "alpha", nil, 0, 1},
		{"stranger", filepath.Join("testdata", "check", "fine"), "gamma", told{"nginx": {{Fatal: true, Text: "never asked"}}}, 2, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := toldBy(told{}, tt.systemd)
			r.fence = unsafeOnly
			var out bytes.Buffer
			if got := check(t.Context(), folder(t, tt.dir), elsewhere(tt.node), r, false, &out); got != tt.code {
				t.Errorf("exit code %d, want %d", got, tt.code)
			}
			if got := check(t.Context(), folder(t, tt.dir), elsewhere(tt.node), r, true, &bytes.Buffer{}); got != tt.strict {
				t.Errorf("exit code with --strict %d, want %d", got, tt.strict)
			}
			file := filepath.Join("testdata", "check", tt.name+".golden")
			if *updateCheck {
				if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if out.String() != string(want) {
				t.Errorf("output, to be compared with %s:\n%s", file, &out)
			}
		})
	}
}

// TestCheckWithoutSystemd is on a machine where systemd cannot be asked: that
// is no fault of the configuration.
func TestCheckWithoutSystemd(t *testing.T) {
	nowhere := systemd.Bus("unix:path=" + filepath.Join(t.TempDir(), "none"))
	r := toldBy(told{}, systemd.New(systemd.WithDialers(nowhere, nowhere)))
	var out bytes.Buffer
	if got := check(t.Context(), folder(t, filepath.Join("testdata", "check", "fine")), elsewhere("alpha"), r, true, &out); got != checkFine {
		t.Errorf("exit code %d, want %d", got, checkFine)
	}
	notes := 0
	for line := range strings.Lines(out.String()) {
		if strings.HasPrefix(line, "haresources:") {
			notes++
			if !strings.Contains(line, ": note: ") || !strings.Contains(line, ".service could not be examined: ") {
				t.Errorf("got %q, want a note", line)
			}
		}
	}
	if notes != 2 {
		t.Errorf("%d notes, want one for each of two units:\n%s", notes, &out)
	}
}

func TestCheckOfNothing(t *testing.T) {
	var out bytes.Buffer
	if got := runCheck(filepath.Join(t.TempDir(), "none"), false, &out); got != checkErrors {
		t.Errorf("exit code %d, want %d", got, checkErrors)
	}
	for _, file := range []string{"ha.cf: no such file", "haresources: no such file", "authkeys: no such file"} {
		if !strings.Contains(out.String(), file) {
			t.Errorf("output does not say %q:\n%s", file, &out)
		}
	}
}

// TestDrivers maps words of haresources to what runs them.
func TestDrivers(t *testing.T) {
	r := toldBy(told{}, told{})
	for _, tt := range []struct{ word, want string }{
		{"192.0.2.10", "ipaddr"},
		{"192.0.2.10/24/eth0", "ipaddr"},
		{"IPaddr::192.0.2.10", "ipaddr"},
		{"IPaddr2::192.0.2.10/24/eth0:web", "ipaddr"},
		{"IPv6addr::2001:db8::1/64", "ipaddr"},
		{"apache2", "systemd: apache2.service"},
		{"www", "systemd: www.service"},
		{"nginx.service", "systemd: nginx.service"},
		{"srv-data.mount", "systemd: srv-data.mount"},
		{"php8.2-fpm", "systemd: php8.2-fpm.service"},
		{"openvpn@office", "systemd: openvpn@office.service"},
		{"redis", "script: testdata/resource.d/redis; there is no unit redis.service"},
		{"redis::6380", "script: testdata/resource.d/redis 6380"},
		{"redis.service", "systemd: redis.service"},
		{"both", "systemd: both.service; not testdata/resource.d/both: a unit goes before a script"},
		{"both::web", "script: testdata/resource.d/both web"},
		{"Xinetd", "script: not installed"},
		{"Raid1::/etc/raidtab::/dev/md0", "script: not installed"},
		{"OCF::Dummy::one", "ocf: not installed"},
		{"ocf:heartbeat:Dummy::state=/run/one", "ocf: not installed"},
		{"OCF", "nothing"},
	} {
		s, err := resources.ParseSpec(tt.word)
		if err != nil {
			t.Fatal(err)
		}
		got, _, _ := strings.Cut(runs(r, s), ": 192")
		got, _, _ = strings.Cut(got, ": 2001")
		if got != tt.want {
			t.Errorf("%s is run by %s, want %s", tt.word, got, tt.want)
		}
	}
}
