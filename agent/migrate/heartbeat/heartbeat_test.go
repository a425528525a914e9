package heartbeat

import (
	"bytes"
	"errors"
	"flag"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/systole-ha/systole/agent/config"
	"github.com/systole-ha/systole/agent/migrate"
	"github.com/systole-ha/systole/resources"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// wild are the configurations found in the wild, which agent/config reads.
var wild = filepath.Join("..", "..", "config", "testdata")

// machine puts the files of a folder into /etc/ha.d, and more where they are
// said to be. Scripts are those that end in "!", which can be run.
func machine(t *testing.T, dir string, more map[string]string) fstest.MapFS {
	t.Helper()
	root := fstest.MapFS{}
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no files in %s: %v", dir, err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		mode := fs.FileMode(0o644)
		if filepath.Base(name) == "authkeys" {
			mode = 0o600
		}
		root["etc/ha.d/"+filepath.Base(name)] = &fstest.MapFile{Data: text, Mode: mode}
	}
	for _, name := range []string{"IPaddr", "IPaddr2", "Filesystem", "datadisk", "MailTo"} {
		root["etc/ha.d/resource.d/"+name] = &fstest.MapFile{Mode: 0o755}
	}
	root["etc/ha.d/rc.d/status"] = &fstest.MapFile{Mode: 0o755}
	for name, text := range more {
		mode := fs.FileMode(0o644)
		if strings.HasSuffix(name, "!") {
			mode = 0o755
		}
		root[strings.TrimSuffix(name, "!")] = &fstest.MapFile{Data: []byte(text), Mode: mode}
	}
	return root
}

// elsewhere is a machine that has every interface and serial port.
func elsewhere(name string) config.Host {
	return config.Host{
		Name:      name,
		Interface: func(string) (netip.Addr, error) { return netip.MustParseAddr("192.168.1.255"), nil },
		Serial:    func(string) error { return nil },
	}
}

// runs is what runs a word on a machine whose drivers know addresses and units.
func runs(s resources.Spec) (by string, unit bool, err error) {
	switch {
	case strings.HasPrefix(s.Name, "IP"):
		return "ipaddr", false, nil
	case s.Name == "datadisk" || len(s.Args) > 0:
		return "", false, errors.New("no driver")
	}
	return "systemd: " + s.Name + ".service", true, nil
}

// refuse is what is said about words that nothing runs.
func refuse(c *config.Config) (ds config.Diagnostics) {
	for _, g := range c.Groups {
		for n, s := range g.Resources {
			if _, _, err := runs(s); err != nil {
				ds = append(ds, config.Diagnostic{File: config.Haresources, Line: g.ResourceLines[n], Word: s.String(), Text: err.Error()})
			}
		}
	}
	return ds
}

// TestPlan pins all that is said about configurations of the wild, and of one
// that has what others have not.
func TestPlan(t *testing.T) {
	apache := map[string]string{"usr/lib/systemd/system/apache2.service": "", "etc/init.d/apache2!": ""}
	own := map[string]string{
		"etc/init.d/legacy!": "", "etc/ha.d/resource.d/shop!": "", "etc/ha.d/rc.d/num_ping_nodes!": "", "etc/ha.d/rc.d/README": "",
		"usr/lib/systemd/system/nginx.service": "", "etc/systemd/system/multi-user.target.wants/heartbeat.service": "",
		"var/lib/heartbeat/hb_generation": "             17\n", "var/lib/heartbeat/hb_uuid": "0123456789abcdef",
	}
	for _, tt := range []struct {
		name, dir, node, to string
		more                map[string]string
		blocked             bool
		files               []string
	}{
		{name: "web", dir: filepath.Join(wild, "web"), node: "web1", more: apache},
		{name: "web-copied", dir: filepath.Join(wild, "web"), node: "web1", to: "/etc/systole", more: apache,
			files: []string{"/etc/systole/ha.cf", "/etc/systole/haresources", "/etc/systole/authkeys"}},
		{name: "serial", dir: filepath.Join(wild, "serial"), node: "ha-1.talmeida.com.br", blocked: true,
			files: []string{"/etc/systemd/system/systole.service.d/devices.conf"}},
		{name: "udp-lower", dir: filepath.Join(wild, "udp-lower"), node: "ha-1.talmeida.com.br", blocked: true},
		{name: "everything", dir: filepath.Join(wild, "everything"), node: "alpha", more: own, blocked: true,
			files: []string{"/etc/systemd/system/systole.service.d/devices.conf"}},
		{name: "own", dir: filepath.Join("testdata", "own"), node: "alpha", more: own, blocked: true,
			files: []string{"/etc/systole/ha.cf", "/etc/systole/haresources", "/etc/systole/authkeys", "/etc/systemd/system/systole.service.d/devices.conf"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root := machine(t, tt.dir, tt.more)
			plan, err := Plan(Options{Root: root, Host: elsewhere(tt.node), To: tt.to, Runs: runs, Examine: refuse})
			if err != nil {
				t.Fatal(err)
			}
			if got := plan.Blocked(); got != tt.blocked {
				t.Errorf("blocked: %v, want %v", got, tt.blocked)
			}
			var files []string
			for _, f := range plan.Files {
				files = append(files, f.Path)
			}
			if !slices.Equal(files, tt.files) {
				t.Errorf("files\n got %q\nwant %q", files, tt.files)
			}
			var out bytes.Buffer
			plan.Print(&out, root)
			golden(t, filepath.Join("testdata", tt.name+".golden"), out.Bytes())
		})
	}
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("output, to be compared with %s:\n%s", file, got)
	}
}

// TestCopiesCanBeRun reads the copy of a configuration that systole refuses as
// it is.
func TestCopiesCanBeRun(t *testing.T) {
	root := machine(t, filepath.Join("testdata", "own"), nil)
	host := elsewhere("alpha")
	folder, _ := fs.Sub(root, "etc/ha.d")
	if _, diagnostics := config.Load(folder, host); diagnostics.Err() == nil {
		t.Fatal("systole can run the original: there is nothing to show")
	}
	plan, err := Plan(Options{Root: root, Host: host, Runs: runs})
	if err != nil {
		t.Fatal(err)
	}
	made := migrate.Tree{}
	for _, f := range plan.Files {
		made[filepath.Base(f.Path)] = f
	}
	if _, diagnostics := config.Load(made, host); diagnostics.Err() != nil {
		t.Error(diagnostics.Err())
	}
	if mode := made["authkeys"].Mode; mode != 0o600 {
		t.Errorf("authkeys of mode %04o", mode)
	}
}

// TestNothingToImport is a machine where Heartbeat was never configured.
func TestNothingToImport(t *testing.T) {
	if _, err := Plan(Options{Root: fstest.MapFS{"etc/ha.d/README": {}}, Runs: runs}); !errors.Is(err, ErrNone) {
		t.Errorf("got %v, want %v", err, ErrNone)
	}
	if _, err := Plan(Options{Root: fstest.MapFS{}, From: "/srv/ha.d", Runs: runs}); err == nil {
		t.Error("a folder that is not there is taken for one")
	}
}
