package lab

import (
	"fmt"
	"testing"
)

func TestPrefixes(t *testing.T) {
	tests := []struct {
		network Network
		host    int
		want    string
	}{
		{Service, 1, "[192.0.2.1/24 2001:db8::1/64]"},
		{Service, clientHost, "[192.0.2.100/24 2001:db8::100/64]"},
		{Private, 12, "[198.51.100.12/24 2001:db8:1::12/64]"},
	}
	for _, tt := range tests {
		if got := fmt.Sprint(tt.network.prefixes(tt.host)); got != tt.want {
			t.Errorf("prefixes of host %d on %s: got %s, want %s", tt.host, tt.network, got, tt.want)
		}
	}
}

func TestCheckNames(t *testing.T) {
	tests := []struct {
		name  string
		nodes []string
		ok    bool
	}{
		{"the customary names are allowed", greek, true},
		{"a lab needs a node", nil, false},
		{"two nodes of one name are refused", []string{"alpha", "alpha"}, false},
		{"the client's name is taken", []string{"client"}, false},
		{"twelve characters leave room in an interface's name", []string{"abcdefghijkl"}, true},
		{"thirteen do not", []string{"abcdefghijklm"}, false},
		{"a name is no path", []string{"a/b"}, false},
	}
	for _, tt := range tests {
		if err := checkNames(tt.nodes); (err == nil) != tt.ok {
			t.Errorf("%s: got %v", tt.name, err)
		}
	}
}

func TestRuleset(t *testing.T) {
	var f faults
	f.set("alpha.0", Both, 1)
	f.set("alpha.1", Out, 0.3)
	f.set("beta.0", In, 1)
	f.set("beta.0", In, 0) // healed
	f.part("alpha.1", "client.1", true)
	f.part("beta.1", "alpha.1", true)
	f.part("gamma.1", "alpha.1", true)
	f.unplugged("gamma.1")
	f.part("beta.1", "client.1", true)
	f.part("beta.1", "client.1", false)
	want := `table bridge faults
delete table bridge faults
table bridge faults {
	chain prerouting {
		type filter hook prerouting priority 0; policy accept;
		iifname { "alpha.0", "alpha.0d" } drop
		iifname { "alpha.1", "alpha.1d" } numgen random mod 1000000 < 300000 drop
	}
	chain postrouting {
		type filter hook postrouting priority 0; policy accept;
		oifname { "alpha.0", "alpha.0d" } drop
	}
	chain forward {
		type filter hook forward priority 0; policy accept;
		iifname { "alpha.1", "alpha.1d" } oifname { "client.1", "client.1d" } drop
		iifname { "beta.1", "beta.1d" } oifname { "alpha.1", "alpha.1d" } drop
	}
}
`
	if got := f.ruleset(); got != want {
		t.Errorf("ruleset:\n got %s\nwant %s", got, want)
	}
}
