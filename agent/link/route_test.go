package link

import (
	"net/netip"
	"testing"

	"github.com/systole-ha/systole/resources/nstest"
)

func TestIsOurs(t *testing.T) {
	ns1, ns2 := nstest.Pair(t)
	ns1.AddAddress(t, "eth0", "192.0.2.3/24")
	ns1.Sysctl(t, "ipv4/ip_nonlocal_bind", "1")
	tests := []struct {
		name, address string
		want          bool
	}{
		{"an address of ours", "192.0.2.1", true},
		{"a second address of the same subnet", "192.0.2.3", true},
		{"loopback", "127.0.0.1", true},
		{"the peer's address, though it can be bound to", "192.0.2.2", false},
		{"an address no route leads to", "203.0.113.1", false},
		{"the broadcast address", "192.0.2.255", false},
		{"an IPv6 address of ours", "2001:db8::1", true},
		{"the peer's IPv6 address", "2001:db8::2", false},
		{"an IPv6 address no route leads to", "2001:db8:f::1", false},
		{"our link-local address", linkLocal(t, ns1, "eth0"), true},
		{"the peer's link-local address", linkLocal(t, ns2, "eth0"), false},
	}
	var m *monitor
	var err error
	ns1.Do(t, func() { m, err = openMonitor() })
	if err != nil {
		t.Fatal(err)
	}
	defer m.close()
	index := ns1.Link(t, "eth0").Attrs().Index
	for _, tt := range tests {
		address := netip.MustParseAddr(tt.address)
		if tt.want { // the route to an IPv6 address follows the address
			nstest.Await(t, tt.name+" is ours", func() bool { return m.isOurs(address, index) })
		} else if m.isOurs(address, index) {
			t.Errorf("%s: %s is called ours", tt.name, tt.address)
		}
	}
}
