package ipaddr

import (
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

func TestLongest(t *testing.T) {
	const eth0, eth1 = 2, 3
	ip := netip.MustParseAddr
	to := func(network string, link int, metric uint32) route {
		return route{network: netip.MustParsePrefix(network), link: link, metric: metric, kind: unix.RTN_UNICAST, direct: true}
	}
	gateway := func(r route) route { r.direct = false; return r }
	has := func(address string, link int) held {
		p := netip.MustParsePrefix(address)
		return held{link: link, ip: p.Addr(), peer: p.Addr(), prefix: p.Bits()}
	}
	everything := gateway(to("0.0.0.0/0", eth1, 0))
	tests := []struct {
		name   string
		routes []route
		list   []held
		link   int
		want   route
	}{
		{name: "no routes, no way"},
		{
			name:   "the network that contains the address",
			routes: []route{everything, to("198.51.100.0/24", eth1, 0), to("192.0.2.0/24", eth0, 0)},
			want:   to("192.0.2.0/24", eth0, 0),
		},
		{
			name:   "the longer of two networks, wherever it stands",
			routes: []route{to("192.0.2.0/28", eth1, 100), to("192.0.2.0/24", eth0, 0)},
			want:   to("192.0.2.0/28", eth1, 100),
		},
		{
			name:   "the lower of two metrics",
			routes: []route{to("192.0.2.0/24", eth0, 101), to("192.0.2.0/24", eth1, 100)},
			want:   to("192.0.2.0/24", eth1, 100),
		},
		{
			name:   "the first of two equals",
			routes: []route{to("192.0.2.0/24", eth0, 100), to("192.0.2.0/24", eth1, 100)},
			want:   to("192.0.2.0/24", eth0, 100),
		},
		{
			name:   "the default route where there is no network",
			routes: []route{to("198.51.100.0/24", eth0, 0), everything},
			want:   everything,
		},
		{
			name:   "only routes of the interface asked for",
			routes: []route{to("192.0.2.0/24", eth0, 0), everything},
			link:   eth1,
			want:   everything,
		},
		{
			name:   "no route that leads nowhere",
			routes: []route{{network: netip.MustParsePrefix("192.0.2.0/24"), kind: unix.RTN_BLACKHOLE, direct: true}, everything},
			want:   everything,
		},
		{
			name:   "no route that is there for the address itself",
			routes: []route{to("192.0.2.0/24", eth0, 0), everything},
			list:   []held{has("192.0.2.10/24", eth0)},
			want:   everything,
		},
		{
			name:   "but the route of a network in which the node has another address",
			routes: []route{to("192.0.2.0/24", eth0, 0), everything},
			list:   []held{has("192.0.2.10/24", eth0), has("192.0.2.1/24", eth0)},
			want:   to("192.0.2.0/24", eth0, 0),
		},
		{
			name:   "not that of an address which it has on another interface",
			routes: []route{to("192.0.2.0/24", eth0, 0), to("192.0.2.0/24", eth1, 0)},
			list:   []held{has("192.0.2.10/24", eth0), has("192.0.2.1/24", eth1)},
			want:   to("192.0.2.0/24", eth1, 0),
		},
		{
			name:   "and that of a network which the address is in under another prefix",
			routes: []route{to("192.0.2.0/24", eth0, 0), everything},
			list:   []held{has("192.0.2.10/32", eth0)},
			want:   to("192.0.2.0/24", eth0, 0),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := longest(tt.routes, tt.list, ip("192.0.2.10"), tt.link); got != tt.want {
				t.Errorf("longest\n got %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestConnects(t *testing.T) {
	tests := []struct {
		name string
		r    route
		want bool
	}{
		{name: "a network of the link", r: route{network: netip.MustParsePrefix("192.0.2.0/24"), kind: unix.RTN_UNICAST, direct: true}, want: true},
		{name: "a network behind a gateway", r: route{network: netip.MustParsePrefix("192.0.2.0/24"), kind: unix.RTN_UNICAST}},
		{name: "a default route without a gateway, as of a point-to-point link", r: route{network: netip.MustParsePrefix("0.0.0.0/0"), kind: unix.RTN_UNICAST, direct: true}},
		{name: "the machine itself", r: route{network: netip.MustParsePrefix("192.0.2.10/32"), kind: unix.RTN_LOCAL, direct: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.r.connects(); got != tt.want {
				t.Errorf("connects() = %t, want %t", got, tt.want)
			}
		})
	}
}
