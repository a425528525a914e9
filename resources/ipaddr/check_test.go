package ipaddr

import (
	"slices"
	"testing"

	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/nstest"
)

func TestCheck(t *testing.T) {
	fatal := func(text string) resources.Finding { return resources.Finding{Fatal: true, Text: text} }
	warning := func(text string) resources.Finding { return resources.Finding{Text: text} }
	tests := []struct {
		name    string
		word    string
		prepare func(*testing.T, *nstest.Namespace)
		want    []resources.Finding
	}{
		{name: "nothing to say", word: "IPaddr::192.0.2.10/24/eth0"},
		{name: "nothing to say of IPv6", word: "IPv6addr::2001:db8::10"},
		{
			name: "an argument that cannot be read",
			word: "IPaddr::192.0.2.10/33",
			want: []resources.Finding{fatal(`"33" is not a prefix length between 1 and 32`)},
		},
		{
			name: "an interface that is not there",
			word: "IPaddr::192.0.2.10/24/eth7",
			want: []resources.Finding{fatal("no such interface eth7; this machine has eth0, lo")},
		},
		{
			name: "an interface that is down",
			word: "IPaddr::192.0.2.10/24/eth0",
			prepare: func(t *testing.T, n *nstest.Namespace) {
				if err := n.Netlink().LinkSetDown(n.Link(t, "eth0")); err != nil {
					t.Fatal(err)
				}
			},
			want: []resources.Finding{fatal(`interface eth0 is down: bring it up with "ip link set eth0 up"`)},
		},
		{
			name: "no route",
			word: "203.0.113.10",
			want: []resources.Finding{fatal("no route leads to 203.0.113.10: name its interface, as in 203.0.113.10/24/eth0; this machine has eth0, lo")},
		},
		{
			name: "an address in no network, without a prefix",
			word: "IPaddr::203.0.113.10//eth0",
			want: []resources.Finding{warning("no network of eth0 contains 203.0.113.10, so it is added as /32: give the prefix if that is not meant")},
		},
		{
			name:    "a kernel that does not promote",
			word:    "192.0.2.10",
			prepare: func(t *testing.T, n *nstest.Namespace) { n.Sysctl(t, "ipv4/conf/eth0/promote_secondaries", "0") },
			want: []resources.Finding{warning("promote_secondaries is off on eth0: if the node's own address of the network goes, " +
				"192.0.2.10 goes with it; set net.ipv4.conf.all.promote_secondaries=1")},
		},
		{
			name: "a kernel that promotes on all interfaces",
			word: "192.0.2.10",
			prepare: func(t *testing.T, n *nstest.Namespace) {
				n.Sysctl(t, "ipv4/conf/eth0/promote_secondaries", "0")
				n.Sysctl(t, "ipv4/conf/all/promote_secondaries", "1")
			},
		},
		{
			name:    "a single address, which is never a secondary one",
			word:    "192.0.2.10/32",
			prepare: func(t *testing.T, n *nstest.Namespace) { n.Sysctl(t, "ipv4/conf/eth0/promote_secondaries", "0") },
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			left, _ := nstest.Pair(t)
			left.Sysctl(t, "ipv4/conf/eth0/promote_secondaries", "1")
			if tt.prepare != nil {
				tt.prepare(t, left)
			}
			n := newNode(t, left)
			before := left.Addresses(t, "eth0")
			var got []resources.Finding
			left.Do(t, func() { got = n.driver.Check(t.Context(), spec(t, tt.word)) })
			if !slices.Equal(got, tt.want) {
				t.Errorf("Check(%s)\n got %v\nwant %v", tt.word, got, tt.want)
			}
			n.has("eth0", before...)
		})
	}
}
