package config

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// machine is a node called name with three interfaces, the last without an
// address, serial ports and a name
// server that knows beta.
func machine(name string) Host {
	devices := map[string]netip.Addr{"eth0": netip.MustParseAddr("192.168.1.255"), "eth1": netip.MustParseAddr("10.0.0.255"), "eth2": {}}
	return Host{
		Name: name,
		Interface: func(device string) (netip.Addr, error) {
			broadcast, ok := devices[device]
			if !ok {
				return netip.Addr{}, errors.New("no such network interface")
			}
			return broadcast, nil
		},
		Serial: func(path string) error {
			if path == "/dev/ttyS0" || path == "/dev/ttys1" {
				return nil
			}
			return &fs.PathError{Op: "stat", Path: path, Err: fs.ErrNotExist}
		},
		Resolve: func(network, name string) (netip.Addr, error) {
			if network == "ip4" && name == "beta" {
				return netip.MustParseAddr("192.168.1.2"), nil
			}
			return netip.Addr{}, errors.New("no such host")
		},
		Local: func(a netip.Addr) bool { return a == netip.MustParseAddr("192.168.1.1") },
	}
}

// folder reads a folder of testdata. Git does not keep the mode that authkeys
// must have.
func folder(t testing.TB, name string) fstest.MapFS {
	t.Helper()
	entries, err := os.ReadDir(path.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{}
	for _, e := range entries {
		text, err := os.ReadFile(path.Join("testdata", name, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = &fstest.MapFile{Data: text, Mode: 0o600}
	}
	return files
}

// with is a good configuration of alpha and beta, some files of it replaced; ""
// removes one.
func with(replaced map[string]string) fstest.MapFS {
	files := map[string]string{
		HaCf:        "node alpha beta\nbcast eth0 eth1\nauto_failback on\n",
		Haresources: "alpha 192.0.2.10 nginx\n",
		Authkeys:    "auth 1\n1 sha1 secret\n",
	}
	for name, text := range replaced {
		files[name] = text
	}
	fsys := fstest.MapFS{}
	for name, text := range files {
		if text != "" {
			fsys[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o600}
		}
	}
	return fsys
}

// check compares what Load says line by line.
func check(t *testing.T, ds Diagnostics, want []string) {
	t.Helper()
	var got []string
	for _, d := range ds {
		got = append(got, d.String())
	}
	if !slices.Equal(got, want) {
		t.Errorf("diagnostics:\n got %s\nwant %s", strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

// TestGolden loads whole folders and pins everything that comes of them: the
// three found in the wild and, in everything and mistakes, each directive used
// rightly and wrongly.
func TestGolden(t *testing.T) {
	for _, tt := range []struct{ folder, node string }{
		{"web", "web1"},
		{"serial", "ha-1.talmeida.com.br"},
		{"udp-lower", "ha-1.talmeida.com.br"},
		{"everything", "alpha"},
		{"mistakes", "alpha"},
		{"receivers", "alpha"},
		{"stranger", "gamma"},
	} {
		t.Run(tt.folder, func(t *testing.T) {
			c, ds := Load(folder(t, tt.folder), machine(tt.node))
			got := ds.String() + "\n" + dump(c)
			file := path.Join("testdata", tt.folder+".golden")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("Load(%s), to be compared with %s:\n%s", tt.folder, file, got)
			}
		})
	}
}

// dump is a Config for people to compare.
func dump(c *Config) string {
	var b strings.Builder
	fmt.Fprintf(&b, "cluster %s, this is %s of %v\n", c.Cluster, c.Self, c.Nodes)
	for _, p := range c.Pings {
		fmt.Fprintf(&b, "ping %s %v, line %d\n", p.Name, p.Targets, p.Line)
	}
	for _, l := range c.Links {
		fmt.Fprintf(&b, "link %s %s to %s, line %d\n", l.Kind, l.Name, l.Destination(), l.Line)
	}
	for _, g := range c.Groups {
		fmt.Fprintf(&b, "group %s on %s: %v, lines %v\n", g.Key, g.Preferred, g.Resources, g.ResourceLines)
	}
	for _, w := range c.Webhooks {
		fmt.Fprintf(&b, "webhook %s to %s from %s, signed by %d, %s\n", w.Name, w.URL, w.Severity, len(w.Secrets.Values()), w.Origin)
	}
	for _, a := range c.Alertmanagers {
		fmt.Fprintf(&b, "alertmanager %s, %d password, %s\n", a.URL, len(a.Password.Values()), a.Origin)
	}
	fmt.Fprintf(&b, "keepalive %s warntime %s deadtime %s initdead %s deadping %s\n", c.Keepalive, c.Warntime, c.Deadtime, c.Initdead, c.Deadping)
	fmt.Fprintf(&b, "auto_failback %t, ttl %d, real time %t %d\n", c.AutoFailback, c.TTL(), c.Realtime, c.RealtimePriority)
	fmt.Fprintf(&b, "signs with %d of %v\n", c.Auth.Send, c.Auth.Keys)
	fmt.Fprintf(&b, "web %+v, state %s, socket %s, start %s, stop %s\n", c.Web, c.StateDir, c.ControlSocket, c.StartTimeout, c.StopTimeout)
	fmt.Fprintf(&b, "hashes %012x %012x\n", c.ClusterHash, c.ResourcesHash)
	return b.String()
}

func TestParameter(t *testing.T) {
	c, _ := Load(with(map[string]string{HaCf: "node alpha beta\nbcast eth0\nkeepalive 1500ms 2\ndeadtime 10\nauto_failback On\n"}), machine("alpha"))
	for _, tt := range []struct{ directive, want string }{
		{"keepalive", "2"},
		{"auto_failback", "On"},
		{"deadtime", "10"},
		{"warntime", "5000ms"},
		{"initdead", "20000ms"},
		{"deadping", "10000ms"},
		{"udpport", "694"},
		{"cluster", "linux-ha"},
		{"hopfudge", "1"},
		{"node", ""},
		{"bcast", ""},
		{"rtprio", ""},
		{"bogus", ""},
	} {
		got, ok := c.Parameter(tt.directive)
		if got != tt.want || ok != (tt.want != "") {
			t.Errorf("Parameter(%s) = %q, %t, want %q", tt.directive, got, ok, tt.want)
		}
	}
}

func TestOrigin(t *testing.T) {
	c, _ := Load(with(map[string]string{HaCf: "node alpha beta\nbcast eth0\ncluster shop\nrealtime off\nkeepalive 2\n", SystoleYAML: "web:\n  listen_address: :1\nrealtime: on\n"}), machine("alpha"))
	for setting, want := range map[string]string{
		"keepalive":          "ha.cf:5",
		"cluster":            "ha.cf:3",
		"realtime":           "systole.yaml:3",
		"web.listen_address": "systole.yaml:2",
		"warntime":           "",
		"state_dir":          "",
	} {
		if got := c.Origin(setting); got != want {
			t.Errorf("Origin(%s) = %q, want %q", setting, got, want)
		}
	}
}

func TestHashes(t *testing.T) {
	base, _ := Load(with(nil), machine("alpha"))
	for _, tt := range []struct {
		name              string
		replaced          map[string]string
		cluster, resource bool // whether the hash differs
	}{
		{"the other order of nodes, other links and other words for the same are the same cluster",
			map[string]string{HaCf: "auto_failback YES # as it is\nbcast eth1\nnode Beta\nnode alpha\nkeepalive 1000ms\nlogfile /var/log/ha"}, false, false},
		{"another keepalive is another cluster", map[string]string{HaCf: "node alpha beta\nbcast eth0 eth1\nauto_failback on\nkeepalive 2\n"}, true, false},
		{"another failback policy is another cluster", map[string]string{HaCf: "node alpha beta\nbcast eth0 eth1\nauto_failback off\n"}, true, false},
		{"comments, blanks and joined lines do not change haresources", map[string]string{Haresources: "# web\n\nALPHA   IPaddr::192.0.2.10 \\\n\tnginx # it\n"}, false, false},
		{"another order of resources does", map[string]string{Haresources: "alpha nginx 192.0.2.10\n"}, false, true},
		{"two groups are not one", map[string]string{Haresources: "alpha 192.0.2.10\nalpha nginx\n"}, false, true},
		{"another key changes nothing", map[string]string{Authkeys: "auth 2\n2 md5 other\n"}, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := Load(with(tt.replaced), machine("alpha"))
			if got := c.ClusterHash != base.ClusterHash; got != tt.cluster {
				t.Errorf("hash of ha.cf differs: got %t, want %t", got, tt.cluster)
			}
			if got := c.ResourcesHash != base.ResourcesHash; got != tt.resource {
				t.Errorf("hash of haresources differs: got %t, want %t", got, tt.resource)
			}
			if c.ClusterHash>>48 != 0 || c.ResourcesHash>>48 != 0 {
				t.Errorf("hashes %x and %x are longer than 48 bits", c.ClusterHash, c.ResourcesHash)
			}
		})
	}
}

func TestSelfName(t *testing.T) {
	fsys := with(nil)
	if c, _ := Load(fsys, machine("ALPHA")); c.Self != "alpha" {
		t.Errorf("Self = %q, want uname -n in lower case, alpha", c.Self)
	}
	fsys["nodeinfo"] = &fstest.MapFile{Data: []byte("Beta\r\nmore\n")}
	if c, _ := Load(fsys, machine("alpha")); c.Self != "beta" {
		t.Errorf("Self = %q, want the first line of nodeinfo, beta", c.Self)
	}
}

func TestFiles(t *testing.T) {
	t.Run("each missing file is reported", func(t *testing.T) {
		c, ds := Load(fstest.MapFS{}, machine("alpha"))
		if got := ds.Count(Error); got != 3 || c == nil {
			t.Errorf("Load of an empty folder: got %d errors, want 3:\n%s", got, ds)
		}
		if ds.Err() == nil {
			t.Error("Err() = nil with errors")
		}
	})
	t.Run("a file of more than 256 KiB is too large", func(t *testing.T) {
		_, ds := Load(with(map[string]string{Haresources: strings.Repeat("#", maxFile+1)}), machine("alpha"))
		check(t, ds, []string{"haresources: more than 262144 bytes"})
	})
	t.Run("a folder in the place of a file is an error", func(t *testing.T) {
		fsys := with(map[string]string{Authkeys: ""})
		fsys["authkeys/x"] = &fstest.MapFile{}
		if _, ds := Load(fsys, machine("alpha")); ds.Count(Error) != 1 {
			t.Errorf("got\n%swant one error", ds)
		}
	})
	t.Run("a good configuration has nothing to say", func(t *testing.T) {
		_, ds := Load(with(nil), machine("alpha"))
		check(t, ds, nil)
	})
}

// TestHostileFiles loads the largest files there can be, filled with what costs
// most; it fails by taking for ever.
func TestHostileFiles(t *testing.T) {
	for _, line := range []string{"logacilitx\n", "x", "ping 192.0.2.1,", "node ab,", "bcast eth0 ", "apiauth a uid=1\n", "a u\\\n", "alpha .......1\n", "auth 1\n", "a: b\n", "[", "{a: ", "\x00", "\\"} {
		text := strings.Repeat(line, maxFile/len(line))
		for _, file := range readingOrder {
			if _, ds := Load(with(map[string]string{file: text}), machine("alpha")); len(ds) > 4*3*(maxReports+1) {
				t.Errorf("%s full of %q: %d diagnostics", file, line, len(ds))
			}
		}
	}
	var distinct strings.Builder
	for i := 0; distinct.Len() < maxFile-20; i++ {
		fmt.Fprintf(&distinct, "ping 10.%d.%d.%d\n", i>>16, i>>8&255, i&255)
	}
	if c, _ := Load(with(map[string]string{HaCf: distinct.String()}), machine("alpha")); len(c.Pings) > maxNodes {
		t.Errorf("%d ping nodes", len(c.Pings))
	}
}
