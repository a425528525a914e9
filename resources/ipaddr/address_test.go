package ipaddr

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/systole-ha/systole/resources"
)

func TestParse(t *testing.T) {
	ip := netip.MustParseAddr
	tests := []struct {
		name string
		word string
		want Address
	}{
		{
			name: "a bare address leaves everything to the machine",
			word: "192.168.1.53",
			want: Address{IP: ip("192.168.1.53")},
		},
		{
			name: "a bare address may have all the parts",
			word: "192.0.2.10/24/eth0/192.0.2.255",
			want: Address{IP: ip("192.0.2.10"), Prefix: 24, Interface: "eth0", Broadcast: ip("192.0.2.255")},
		},
		{
			name: "prefix and interface",
			word: "IPaddr::192.168.1.243/24/eth0",
			want: Address{IP: ip("192.168.1.243"), Prefix: 24, Interface: "eth0"},
		},
		{
			name: "a mask in dotted form is a prefix",
			word: "IPaddr::192.0.2.10/255.255.254.0",
			want: Address{IP: ip("192.0.2.10"), Prefix: 23},
		},
		{
			name: "the longest mask",
			word: "IPaddr::192.0.2.10/255.255.255.255",
			want: Address{IP: ip("192.0.2.10"), Prefix: 32},
		},
		{
			name: "the shortest mask",
			word: "IPaddr::192.0.2.10/128.0.0.0",
			want: Address{IP: ip("192.0.2.10"), Prefix: 1},
		},
		{
			name: "a third part that begins with a digit is the broadcast address",
			word: "IPaddr::192.0.2.10/24/192.0.2.127",
			want: Address{IP: ip("192.0.2.10"), Prefix: 24, Broadcast: ip("192.0.2.127")},
		},
		{
			name: "an interface and a broadcast address",
			word: "IPaddr2::192.0.2.10/25/bond0.7/192.0.2.127",
			want: Address{IP: ip("192.0.2.10"), Prefix: 25, Interface: "bond0.7", Broadcast: ip("192.0.2.127")},
		},
		{
			name: "a label keeps its interface",
			word: "IPaddr2::192.0.2.10/24/eth0:web",
			want: Address{IP: ip("192.0.2.10"), Prefix: 24, Interface: "eth0", Label: "eth0:web"},
		},
		{
			name: "an alias of old is a label",
			word: "IPaddr::192.0.2.10/24/eth0:0",
			want: Address{IP: ip("192.0.2.10"), Prefix: 24, Interface: "eth0", Label: "eth0:0"},
		},
		{
			name: "a name of fifteen characters is the longest",
			word: "IPaddr::192.0.2.10/24/enp130s0f1np100",
			want: Address{IP: ip("192.0.2.10"), Prefix: 24, Interface: "enp130s0f1np100"},
		},
		{
			name: "an empty prefix is an absent one",
			word: "IPaddr::192.0.2.10//eth0",
			want: Address{IP: ip("192.0.2.10"), Interface: "eth0"},
		},
		{
			name: "an empty interface is an absent one",
			word: "IPaddr::192.0.2.10/24//192.0.2.255",
			want: Address{IP: ip("192.0.2.10"), Prefix: 24, Broadcast: ip("192.0.2.255")},
		},
		{
			name: "slashes at the end mean nothing",
			word: "IPaddr::192.0.2.10/24///",
			want: Address{IP: ip("192.0.2.10"), Prefix: 24},
		},
		{
			name: "a /31 has neither network nor broadcast address",
			word: "IPaddr::192.0.2.10/31",
			want: Address{IP: ip("192.0.2.10"), Prefix: 31},
		},
		{
			name: "IPv6 in full",
			word: "IPv6addr::2001:db8:0:0:0:0:0:10/64/eth0",
			want: Address{IP: ip("2001:db8::10"), Prefix: 64, Interface: "eth0"},
		},
		{
			name: "the :: of an IPv6 address is no separator",
			word: "IPv6addr::2001:db8::10/64/eth0",
			want: Address{IP: ip("2001:db8::10"), Prefix: 64, Interface: "eth0"},
		},
		{
			name: "an IPv6 address may end in ::",
			word: "IPv6addr::2001:db8::",
			want: Address{IP: ip("2001:db8::")},
		},
		{
			name: "an IPv6 address may begin with ::",
			word: "IPv6addr::::5/128",
			want: Address{IP: ip("::5"), Prefix: 128},
		},
		{
			name: "IPaddr2 holds IPv6 too",
			word: "IPaddr2::2001:db8::10/64",
			want: Address{IP: ip("2001:db8::10"), Prefix: 64},
		},
		{
			name: "a link-local address names its interface",
			word: "IPv6addr::fe80::53/64/eth0",
			want: Address{IP: ip("fe80::53"), Prefix: 64, Interface: "eth0"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := resources.ParseSpec(tt.word)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Parse(s)
			if err != nil {
				t.Fatalf("Parse(%s): %v", tt.word, err)
			}
			if got != tt.want {
				t.Errorf("Parse(%s)\n got %+v\nwant %+v", tt.word, got, tt.want)
			}
		})
	}
}

func TestParseTakesABareAddressAsAName(t *testing.T) {
	got, err := Parse(resources.Spec{Name: "192.0.2.10/24"})
	want := Address{IP: netip.MustParseAddr("192.0.2.10"), Prefix: 24}
	if err != nil || got != want {
		t.Errorf("Parse\n got %+v, %v\nwant %+v", got, err, want)
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct {
		name string
		word string
		want string
	}{
		{
			name: "a resource without an address",
			word: "IPaddr",
			want: "IPaddr needs an address, as in IPaddr::192.0.2.10/24/eth0",
		},
		{
			name: "two arguments, saying how to write them",
			word: "IPaddr::192.0.2.10::24",
			want: `IPaddr takes one argument, with "/" between its parts: did you mean IPaddr::192.0.2.10/24?`,
		},
		{
			name: "three arguments of an IPv6 address likewise",
			word: "IPv6addr::2001:db8::10::64::eth0",
			want: `IPv6addr takes one argument, with "/" between its parts: did you mean IPv6addr::2001:db8::10/64/eth0?`,
		},
		{
			name: "two arguments that make no sense, without a guess",
			word: "IPaddr::web::eth0",
			want: `IPaddr takes one argument, with "/" between its parts`,
		},
		{
			name: "two arguments that happen to be an IPv6 address",
			word: "IPaddr::a::b",
			want: "IPaddr holds no IPv6 address: write IPv6addr::a::b",
		},
		{
			name: "what is no address",
			word: "IPaddr::192.0.2.300/24",
			want: `"192.0.2.300" is not an IP address`,
		},
		{
			name: "a host name",
			word: "IPaddr::www.example.org",
			want: `"www.example.org" is not an IP address`,
		},
		{
			name: "octets that might be octal",
			word: "192.168.001.053",
			want: `"192.168.001.053" is not an IP address`,
		},
		{
			name: "an IPv6 address of IPaddr",
			word: "IPaddr::2001:db8::10/64",
			want: "IPaddr holds no IPv6 address: write IPv6addr::2001:db8::10/64",
		},
		{
			name: "an IPv4 address of IPv6addr",
			word: "IPv6addr::192.0.2.10/24",
			want: "IPv6addr holds no IPv4 address: write IPaddr::192.0.2.10/24",
		},
		{
			name: "an IPv4 address in IPv6 clothes",
			word: "IPv6addr::::ffff:192.0.2.10",
			want: "::ffff:192.0.2.10 is an IPv4 address: write 192.0.2.10",
		},
		{
			name: "a zone",
			word: "IPv6addr::fe80::53%eth0",
			want: "the interface of fe80::53%eth0 goes after the prefix: write fe80::53/64/eth0",
		},
		{
			name: "a link-local address without an interface",
			word: "IPv6addr::fe80::53/64",
			want: "fe80::53 is known on its link only: name the interface, as in fe80::53/64/eth0",
		},
		{
			name: "the loopback address",
			word: "127.0.0.1",
			want: "127.0.0.1 is not an address that clients could reach",
		},
		{
			name: "an address of this network",
			word: "0.0.0.1",
			want: "0.0.0.1 is not an address that clients could reach",
		},
		{
			name: "an IPv6 address in the place of the mask",
			word: "192.0.2.10/::0%0.0",
			want: `"::0%0.0" is not a netmask`,
		},
		{
			name: "a multicast group",
			word: "IPaddr::239.0.0.1",
			want: "239.0.0.1 is not an address that clients could reach",
		},
		{
			name: "a prefix longer than the address",
			word: "IPaddr::192.0.2.10/33",
			want: `"33" is not a prefix length between 1 and 32`,
		},
		{
			name: "a prefix longer than an IPv6 address",
			word: "IPv6addr::2001:db8::10/129",
			want: `"129" is not a prefix length between 1 and 128`,
		},
		{
			name: "a prefix of nothing",
			word: "IPaddr::192.0.2.10/0",
			want: `"0" is not a prefix length between 1 and 32`,
		},
		{
			name: "an interface in the place of the prefix",
			word: "IPaddr::192.0.2.10/eth0",
			want: `"eth0" is not a prefix length between 1 and 32`,
		},
		{
			name: "a mask with a hole",
			word: "IPaddr::192.0.2.10/255.0.255.0",
			want: "netmask 255.0.255.0 is not ones followed by zeros: write the prefix length instead, as in /24",
		},
		{
			name: "a mask of nothing",
			word: "IPaddr::192.0.2.10/0.0.0.0",
			want: "netmask 0.0.0.0 is not ones followed by zeros: write the prefix length instead, as in /24",
		},
		{
			name: "the address of the network",
			word: "IPaddr::192.0.2.0/24",
			want: "192.0.2.0 is the address of the network 192.0.2.0/24 itself",
		},
		{
			name: "the broadcast address of the network",
			word: "IPaddr::192.0.2.255/24",
			want: "192.0.2.255 is the broadcast address of the network 192.0.2.0/24",
		},
		{
			name: "a broadcast address before the interface",
			word: "IPaddr::192.0.2.10/24/192.0.2.255/eth0",
			want: "the interface comes before the broadcast address: did you mean 192.0.2.10/24/eth0/192.0.2.255?",
		},
		{
			name: "a broadcast address that is none",
			word: "IPaddr::192.0.2.10/24/eth0/eth1",
			want: `"eth1" is not a broadcast address`,
		},
		{
			name: "the address as its own broadcast address",
			word: "IPaddr::192.0.2.10/24/eth0/192.0.2.10",
			want: "192.0.2.10 cannot be its own broadcast address",
		},
		{
			name: "a broadcast address of IPv6",
			word: "IPv6addr::2001:db8::10/64/eth0/2001",
			want: `an IPv6 address has no broadcast address such as "2001"`,
		},
		{
			name: "a label of IPv6",
			word: "IPaddr2::2001:db8::10/64/eth0:web",
			want: "an IPv6 address has no label: write eth0 instead of eth0:web",
		},
		{
			name: "an empty label",
			word: "IPaddr2::192.0.2.10/24/eth0:",
			want: `"eth0:" is not an interface, a colon and a label, of at most 15 characters in all`,
		},
		{
			name: "a label of sixteen characters",
			word: "IPaddr2::192.0.2.10/24/eth0:webservers1",
			want: `"eth0:webservers1" is not an interface, a colon and a label, of at most 15 characters in all`,
		},
		{
			name: "a label with two colons",
			word: "192.0.2.10/24/eth0::1",
			want: `"eth0::1" is not an interface, a colon and a label, of at most 15 characters in all`,
		},
		{
			name: "a name of sixteen characters",
			word: "IPaddr::192.0.2.10/24/enp130s0f1np1000",
			want: `"enp130s0f1np1000" is not the name of an interface`,
		},
		{
			name: "a fifth part",
			word: "IPaddr::192.0.2.10/24/eth0/192.0.2.255/5",
			want: `"192.0.2.10/24/eth0/192.0.2.255/5" has 5 parts, at most 4 are known: address/prefix/interface/broadcast`,
		},
		{
			name: "another kind of resource",
			word: "nginx",
			want: `"nginx" is no address resource: those are IPaddr, IPaddr2 and IPv6addr`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := resources.ParseSpec(tt.word)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Parse(s)
			if err == nil {
				t.Fatalf("Parse(%s) = %+v, want an error", tt.word, got)
			}
			if err.Error() != tt.want {
				t.Errorf("Parse(%s)\n got %v\nwant %v", tt.word, err, tt.want)
			}
		})
	}
}

// FuzzParse holds for any word: no panic, no address that could not be held,
// and an address is read from its own String as itself.
func FuzzParse(f *testing.F) {
	for _, word := range []string{
		"192.168.1.53", "IPaddr::192.168.1.243/24/eth0", "IPaddr::192.0.2.10/255.255.255.0/192.0.2.255",
		"IPaddr2::192.0.2.10/24/eth0:web/192.0.2.255", "IPaddr::192.0.2.10//eth0", "IPaddr::a::b",
		"IPv6addr::2001:db8::10/64/eth0", "IPaddr2::2001:db8::/128", "IPv6addr::fe80::53%eth0", "IPaddr::0/0/0/0",
	} {
		f.Add(word)
	}
	f.Fuzz(func(t *testing.T, word string) {
		s, err := resources.ParseSpec(word)
		if err != nil {
			return
		}
		a, err := Parse(s)
		if err != nil {
			if a != (Address{}) {
				t.Errorf("Parse(%q) gives %+v beside the error %v", word, a, err)
			}
			return
		}
		if !a.IP.IsValid() || a.Prefix < 0 || a.Prefix > a.IP.BitLen() || len(a.Interface) > 15 || len(a.Label) > 15 {
			t.Errorf("Parse(%q) = %+v", word, a)
		}
		if a.Label != "" && !strings.HasPrefix(a.Label, a.Interface+":") {
			t.Errorf("Parse(%q): label %q is not of interface %q", word, a.Label, a.Interface)
		}
		again, err := Parse(resources.Spec{Name: "IPaddr2", Args: strings.Split(a.String(), "::")})
		if err != nil || again != a {
			t.Errorf("Parse(%q), written as %q and read again\n got %+v, %v\nwant %+v", word, a, again, err, a)
		}
	})
}
