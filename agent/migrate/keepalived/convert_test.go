package keepalived

import (
	"bytes"
	"flag"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/systole-ha/systole/agent/config"
	"github.com/systole-ha/systole/agent/migrate"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// zeros is a source of keys that are always the same.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// machine puts the files of a folder where keepalived's are.
func machine(t *testing.T, dir string) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		files["etc/keepalived/"+filepath.ToSlash(name)] = &fstest.MapFile{Data: text, Mode: 0o644}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestConvert pins all that is said about files of the kinds that are found in
// the wild, and all that is made of them.
func TestConvert(t *testing.T) {
	for _, tt := range []struct {
		name, peer, peerFile string
		blocked              bool
	}{
		{name: "web", peer: "beta"},
		{name: "unicast", peer: "beta"},
		{name: "mistakes", peer: "beta", blocked: true},
		{name: "conditional", peer: "beta"},
		{name: "sync", peer: "beta"},
		{name: "pair", peer: "beta", peerFile: "/etc/keepalived/peer.conf"},
		{name: "pair-alone", peer: "beta"},
		{name: "nameless", blocked: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := map[string]string{"pair-alone": "pair", "nameless": "web"}[tt.name]
			if dir == "" {
				dir = tt.name
			}
			root := machine(t, filepath.Join("testdata", dir))
			plan, err := Convert(Options{Root: root, File: "/etc/keepalived/keepalived.conf", PeerFile: tt.peerFile,
				Node: "alpha", Peer: tt.peer, To: "/etc/systole", Random: zeros{}})
			if err != nil {
				t.Fatal(err)
			}
			if got := plan.Blocked(); got != tt.blocked {
				t.Errorf("blocked: %v, want %v", got, tt.blocked)
			}
			var out bytes.Buffer
			plan.Print(&out, root)
			golden(t, filepath.Join("testdata", tt.name+".golden"), out.Bytes())
			if !tt.blocked {
				runs(t, plan)
			}
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

// runs reads what was made as systole run does, on both nodes.
func runs(t *testing.T, plan *migrate.Plan) {
	t.Helper()
	made := migrate.Tree{}
	for _, f := range plan.Files {
		made[filepath.Base(f.Path)] = f
	}
	var hashes []uint64
	for _, node := range []string{"alpha", "beta"} {
		c, diagnostics := config.Load(made, config.Host{Name: node})
		if err := diagnostics.Err(); err != nil {
			t.Errorf("on %s:\n%v", node, err)
		}
		if c.Auth.Ring == nil {
			t.Errorf("on %s: no key", node)
		}
		hashes = append(hashes, c.ClusterHash, c.ResourcesHash)
	}
	if hashes[0] != hashes[2] || hashes[1] != hashes[3] {
		t.Errorf("the nodes compare %x, and find a difference", hashes)
	}
}

// TestSamples converts the examples that come with keepalived, where it is
// installed: none may make files that cannot be run.
func TestSamples(t *testing.T) {
	files, err := filepath.Glob("/usr/share/doc/keepalived/samples/keepalived.conf.*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		plan, err := Convert(Options{Root: os.DirFS("/"), File: file, Node: "high", Peer: "low", To: "/etc/systole"})
		if err != nil {
			t.Fatal(err)
		}
		text, _ := os.ReadFile(file)
		if virtual := strings.Contains(string(text), "\nvrrp_instance"); plan.Blocked() == virtual {
			t.Errorf("%s: virtual routers: %v, blocked: %v by %v", file, virtual, plan.Blocked(), plan.Of(migrate.Blocks))
		}
		if !plan.Blocked() {
			made := migrate.Tree{}
			for _, f := range plan.Files {
				made[filepath.Base(f.Path)] = f
			}
			if _, diagnostics := config.Load(made, config.Host{Name: "high"}); diagnostics.Err() != nil {
				t.Errorf("%s:\n%v", file, diagnostics.Err())
			}
		}
	}
}

// TestKeyStays keeps the key that a node has from the other one.
func TestKeyStays(t *testing.T) {
	root := machine(t, filepath.Join("testdata", "web"))
	const key = "auth 1\n1 sha256 of-the-other-node\n"
	root["etc/systole/authkeys"] = &fstest.MapFile{Data: []byte(key), Mode: 0o600}
	plan, err := Convert(Options{Root: root, File: "/etc/keepalived/keepalived.conf", Node: "alpha", Peer: "beta", To: "/etc/systole"})
	if err != nil {
		t.Fatal(err)
	}
	if got := plan.Files[2]; got.Text != key || got.Mode != 0o600 {
		t.Errorf("authkeys would be %q, mode %v", got.Text, got.Mode)
	}
}

// TestKeysDiffer makes a new key each time, of 256 bits.
func TestKeysDiffer(t *testing.T) {
	keys := map[string]bool{}
	for range 3 {
		root := machine(t, filepath.Join("testdata", "web"))
		plan, err := Convert(Options{Root: root, File: "/etc/keepalived/keepalived.conf", Node: "alpha", Peer: "beta", To: "/etc/systole"})
		if err != nil {
			t.Fatal(err)
		}
		keys[plan.Files[2].Text] = true
		if got := len(strings.TrimPrefix(plan.Files[2].Text, "auth 1\n1 sha256 ")); got != 65 {
			t.Errorf("a key of %d digits and a newline, want 64", got)
		}
		var out bytes.Buffer
		plan.Print(&out, root)
		if strings.Contains(out.String(), strings.TrimSpace(strings.TrimPrefix(plan.Files[2].Text, "auth 1\n1 sha256 "))) {
			t.Error("the key is shown")
		}
	}
	if len(keys) != 3 {
		t.Errorf("%d different keys of 3", len(keys))
	}
}

// TestOwnAddress is what the interface has, where unicast_src_ip is not said.
func TestOwnAddress(t *testing.T) {
	root := fstest.MapFS{"k.conf": {Data: []byte("vrrp_instance A {\n unicast_peer { 192.0.2.2 }\n virtual_ipaddress { 192.0.2.50 }\n}\n")}}
	o := Options{Root: root, File: "/k.conf", Node: "alpha", Peer: "beta", To: "/etc/systole"}
	plan, err := Convert(o)
	if err != nil {
		t.Fatal(err)
	}
	if !plan.Blocked() {
		t.Error("an ha.cf without this node's address would be written")
	}
	o.Address = func(device string) (netip.Addr, bool) { return netip.MustParseAddr("192.0.2.1"), device == "eth0" }
	if plan, err = Convert(o); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"ucast eth0 192.0.2.1 ", "ucast eth0 192.0.2.2 "} {
		if !strings.Contains(plan.Files[0].Text, "\n"+want) {
			t.Errorf("no %q in\n%s", want, plan.Files[0].Text)
		}
	}
}
