package config

import (
	"strings"
	"testing"
	"time"
)

func TestYAML(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"an empty file changes nothing", "---\n", nil},
		{"so does one of comments", "# cluster: x\n", nil},
		{"a list is no configuration", "- a\n", []string{"systole.yaml:1: not a list of keys and values"}},
		{"what is no YAML is said with its line", "cluster: shop\nweb: [\n", []string{"systole.yaml:2: did not find expected node content"}},
		{"an alias is not followed", "web: &w\n  listen_address: :1\ntimeouts: *w\n", []string{"systole.yaml:3: timeouts: not a list of keys and values"}},
		{"no address serves nothing", "web:\n  listen_address: ''\n", nil},
		{"an IPv6 address has brackets", "web:\n  listen_address: '[::1]:9694'\n", nil},
		{"a port is needed", "web:\n  listen_address: localhost\n", []string{"systole.yaml:2: web.listen_address: localhost is no address, write host:port or :port"}},
		{"a timeout is a time", "timeouts:\n  start: never\n  stop: 0\n", []string{
			"systole.yaml:2: timeouts.start: not a time: never",
			"systole.yaml:3: timeouts.stop: no resource starts or stops in no time",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, ds := Load(with(map[string]string{SystoleYAML: tt.text}), machine("alpha"))
			check(t, ds, tt.want)
		})
	}
}

func TestYAMLOverridesHaCf(t *testing.T) {
	base := "node alpha beta\nbcast eth0 eth1\nauto_failback on\n"
	for _, tt := range []struct {
		name, hacf, yaml string
		cluster          string
		realtime         bool
	}{
		{"the names of the nodes, sorted, are the name of the cluster", strings.Replace(base, "alpha beta", "beta alpha", 1), "", "alpha-beta", true},
		{"unless ha.cf has one", base + "cluster shop\n", "", "shop", true},
		{"or systole.yaml", base + "cluster shop\n", "cluster: webshop\n", "webshop", true},
		{"real time is heartbeat's default", base + "realtime off\n", "", "alpha-beta", false},
		{"and systole.yaml has the last word", base + "realtime off\n", "realtime: true\n", "alpha-beta", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := Load(with(map[string]string{HaCf: tt.hacf, SystoleYAML: tt.yaml}), machine("alpha"))
			if c.Cluster != tt.cluster || c.Realtime != tt.realtime {
				t.Errorf("cluster %s, real time %t, want %s, %t", c.Cluster, c.Realtime, tt.cluster, tt.realtime)
			}
		})
	}
}

func TestYAMLDefaults(t *testing.T) {
	c, _ := Load(with(nil), machine("alpha"))
	if c.Web != (Web{ListenAddress: ":9694"}) || c.StateDir != "/var/lib/systole" || c.ControlSocket != "/run/systole/control.sock" ||
		c.StartTimeout != 100*time.Second || c.StopTimeout != 100*time.Second {
		t.Errorf("defaults: %+v", c)
	}
}
