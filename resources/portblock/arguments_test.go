package portblock

import (
	"net/netip"
	"reflect"
	"testing"

	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/resourcetest"
	"golang.org/x/sys/unix"
)

var spec, text = resourcetest.Spec, resourcetest.Text

func TestParse(t *testing.T) {
	any := netip.Prefix{}
	const form = "tcp or udp, ports, and block or unblock, as in portblock::tcp::80,443::block"
	for _, tt := range []struct {
		name, word string
		want       Block
		err        string
	}{
		{name: "a port", word: "portblock::tcp::80::block", want: Block{unix.IPPROTO_TCP, []Ports{{80, 80}}, any, false}},
		{name: "ports and ranges, as iptables has them", word: "portblock::udp::53,137:139::unblock", want: Block{unix.IPPROTO_UDP, []Ports{{53, 53}, {137, 139}}, any, true}},
		{name: "zeros before a port mean nothing", word: "portblock::tcp::0080::block", want: Block{unix.IPPROTO_TCP, []Ports{{80, 80}}, any, false}},
		{name: "the ports of one address", word: "portblock::tcp::80::block::192.0.2.10", want: Block{unix.IPPROTO_TCP, []Ports{{80, 80}}, netip.MustParsePrefix("192.0.2.10/32"), false}},
		{name: "those of a network", word: "portblock::tcp::80::block::192.0.2.10/24", want: Block{unix.IPPROTO_TCP, []Ports{{80, 80}}, netip.MustParsePrefix("192.0.2.0/24"), false}},
		{name: "any address, as the agent writes it", word: "portblock::tcp::80::block::0.0.0.0/0", want: Block{unix.IPPROTO_TCP, []Ports{{80, 80}}, any, false}},
		{name: "the last port there is", word: "portblock::tcp::65535::block", want: Block{unix.IPPROTO_TCP, []Ports{{65535, 65535}}, any, false}},
		{name: "one too many", word: "portblock::tcp::65536::block", err: `"65536" is not a port between 1 and 65535: write ports as in 80 or 137:139 or 80,443`},
		{name: "no port is zero", word: "portblock::tcp::0::block", err: `"0" is not a port between 1 and 65535: write ports as in 80 or 137:139 or 80,443`},
		{name: "a service by its name", word: "portblock::tcp::http::block", err: `"http" is not a port between 1 and 65535: write ports as in 80 or 137:139 or 80,443`},
		{name: "a comma too many", word: "portblock::tcp::80,::block", err: `"" is not a port between 1 and 65535: write ports as in 80 or 137:139 or 80,443`},
		{name: "a range the wrong way round", word: "portblock::tcp::139:137::block", err: "the ports 139:137 end before they begin: write 137:139"},
		{name: "a range of one", word: "portblock::tcp::137:137::block", want: Block{unix.IPPROTO_TCP, []Ports{{137, 137}}, any, false}},
		{name: "another protocol", word: "portblock::icmp::80::block", err: `"icmp" is not a protocol: portblock takes ` + form},
		{name: "another action", word: "portblock::tcp::80::drop", err: `"drop" is not block or unblock: portblock takes ` + form},
		{name: "no action", word: "portblock::tcp::80", err: "portblock takes " + form},
		{name: "one argument too many", word: "portblock::tcp::80::block::192.0.2.10::x", err: "portblock takes " + form},
		{name: "no address", word: "portblock::tcp::80::block::www", err: `"www" is not an address, as in 192.0.2.10`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := spec(t, tt.word)
			got, err := Parse(s)
			if !reflect.DeepEqual(got, tt.want) || text(err) != tt.err {
				t.Errorf("Parse(%s):\n got %v, %q\nwant %v, %q", s, got, text(err), tt.want, tt.err)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, word := range []string{"portblock::tcp::80::block", "portblock::udp::1:2,3::unblock::192.0.2.10/24", "portblock"} {
		f.Add(word)
	}
	f.Fuzz(func(t *testing.T, word string) {
		s, err := resources.ParseSpec(word)
		if err != nil {
			return
		}
		b, err := Parse(s)
		if err != nil {
			return
		}
		for _, p := range b.Ports {
			if p.First == 0 || p.Last < p.First {
				t.Errorf("Parse(%q) has the ports %v", word, p)
			}
		}
		if len(b.comments()) != len(b.Ports) {
			t.Errorf("Parse(%q): %d comments of %d ports", word, len(b.comments()), len(b.Ports))
		}
	})
}
