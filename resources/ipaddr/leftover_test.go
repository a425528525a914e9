package ipaddr

import (
	"testing"

	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/nstest"
)

// leftovers are addresses that should not be where they are when systole comes.
var leftovers = []struct {
	name    string
	word    string
	left    map[string]string // address to interface
	started map[string]string // where it is after Start
}{
	{
		name:    "under another prefix",
		word:    "IPaddr::192.0.2.10/24/eth0",
		left:    map[string]string{"192.0.2.10/32": "eth0"},
		started: map[string]string{"192.0.2.10/24": "eth0"},
	},
	{
		name:    "under another prefix of IPv6",
		word:    "IPv6addr::2001:db8::10/64/eth0",
		left:    map[string]string{"2001:db8::10/128": "eth0"},
		started: map[string]string{"2001:db8::10/64": "eth0"},
	},
	{
		name:    "on another interface",
		word:    "IPaddr::192.0.2.10/24/eth0",
		left:    map[string]string{"192.0.2.10/24": "eth1"},
		started: map[string]string{"192.0.2.10/24": "eth0"},
	},
	{
		name:    "on another interface, its own being found by route",
		word:    "192.0.2.10",
		left:    map[string]string{"192.0.2.10/32": "eth1"},
		started: map[string]string{"192.0.2.10/24": "eth0"},
	},
	{
		name:    "on another interface with a route of the same length",
		word:    "192.0.2.10",
		left:    map[string]string{"192.0.2.10/24": "eth1"},
		started: map[string]string{"192.0.2.10/24": "eth0"},
	},
	{
		name:    "on another interface that comes first in the table",
		word:    "198.51.100.10",
		left:    map[string]string{"198.51.100.10/24": "eth0"},
		started: map[string]string{"198.51.100.10/24": "eth1"},
	},
	{
		name:    "IPv6 on another interface that comes first in the table",
		word:    "IPv6addr::2001:db8:1::10",
		left:    map[string]string{"2001:db8:1::10/64": "eth0"},
		started: map[string]string{"2001:db8:1::10/64": "eth1"},
	},
	{
		name:    "IPv6 on another interface with a route of the same length",
		word:    "IPv6addr::2001:db8::10",
		left:    map[string]string{"2001:db8::10/64": "eth1"},
		started: map[string]string{"2001:db8::10/64": "eth0"},
	},
	{
		name:    "on the loopback interface",
		word:    "IPaddr::192.0.2.10/24/eth0",
		left:    map[string]string{"192.0.2.10/32": "lo"},
		started: map[string]string{"192.0.2.10/24": "eth0"},
	},
	{
		name:    "in three ways at once",
		word:    "IPaddr::192.0.2.10/24/eth0",
		left:    map[string]string{"192.0.2.10/32": "eth0", "192.0.2.10/25": "eth0", "192.0.2.10/24": "eth1"},
		started: map[string]string{"192.0.2.10/24": "eth0"},
	},
}

func TestLeftoversGo(t *testing.T) {
	for _, tt := range leftovers {
		t.Run(tt.name, func(t *testing.T) {
			left, _ := nstest.Pair(t, nstest.Cables(2))
			n := newNode(t, left)
			leave := func() {
				t.Helper()
				for address, device := range tt.left {
					left.AddAddress(t, device, address)
				}
				if got := n.status(tt.word); got != resources.Failed {
					t.Errorf("status of a leftover is %v, want failed", got)
				}
			}
			leave()
			n.start(tt.word)
			n.has("eth0", with(own0, on("eth0", tt.started)...)...)
			n.has("eth1", with(own1, on("eth1", tt.started)...)...)
			n.has("lo", "127.0.0.1/8", "::1/128")
			if got := n.status(tt.word); got != resources.Running {
				t.Errorf("status after Start is %v, want running", got)
			}
			n.stop(tt.word)

			leave()
			n.stop(tt.word)
			n.has("eth0", own0...)
			n.has("eth1", own1...)
			n.has("lo", "127.0.0.1/8", "::1/128")
		})
	}
}

func on(device string, addresses map[string]string) (list []string) {
	for address, where := range addresses {
		if where == device {
			list = append(list, address)
		}
	}
	return list
}

// An interface that is down keeps its IPv4 addresses, and comes back with them.
func TestStopOnAnInterfaceThatIsDown(t *testing.T) {
	for _, word := range []string{"IPaddr::192.0.2.10/24/eth0", "192.0.2.10"} {
		t.Run(word, func(t *testing.T) {
			left, _ := nstest.Pair(t)
			n := newNode(t, left)
			n.start(word)
			if err := left.Netlink().LinkSetDown(left.Link(t, "eth0")); err != nil {
				t.Fatal(err)
			}
			if got := n.status(word); got != resources.Failed {
				t.Errorf("status on an interface that is down is %v, want failed", got)
			}
			n.stop(word)
			n.has("eth0", "192.0.2.1/24")
			if got := n.status(word); got != resources.Stopped {
				t.Errorf("status after Stop is %v, want stopped", got)
			}
		})
	}
}

func TestStopWithoutTheInterface(t *testing.T) {
	left, _ := nstest.Pair(t)
	n := newNode(t, left)
	n.stop("IPaddr::192.0.2.10/24/eth7")
	if got := n.status("IPaddr::192.0.2.10/24/eth7"); got != resources.Stopped {
		t.Errorf("status is %v, want stopped", got)
	}
	left.AddAddress(t, "eth0", "192.0.2.10/24")
	if got := n.status("IPaddr::192.0.2.10/24/eth7"); got != resources.Failed {
		t.Errorf("status of a leftover is %v, want failed", got)
	}
	n.stop("IPaddr::192.0.2.10/24/eth7")
	n.has("eth0", own0...)
}

// An address that runs out, or that lost its duplicate detection, is there and
// does not count.
func TestStartReplacesAnAddressThatIsNoGood(t *testing.T) {
	t.Run("because it runs out", func(t *testing.T) {
		left, _ := nstest.Pair(t)
		n := newNode(t, left)
		addForSeconds(t, left, "192.0.2.10/24", 100)
		if got := n.status("192.0.2.10/24"); got != resources.Failed {
			t.Errorf("status is %v, want failed", got)
		}
		n.start("192.0.2.10/24")
		if got := n.status("192.0.2.10/24"); got != resources.Running {
			t.Errorf("status after Start is %v, want running", got)
		}
	})
	t.Run("because it is tentative", func(t *testing.T) {
		left, _ := nstest.Pair(t)
		n := newNode(t, left)
		left.Sysctl(t, "ipv6/conf/eth0/accept_dad", "1")
		left.Sysctl(t, "ipv6/conf/eth0/dad_transmits", "100") // for longer than this test
		addTentative(t, left, "2001:db8::10/64")
		if got := n.status("IPv6addr::2001:db8::10/64"); got != resources.Failed {
			t.Errorf("status is %v, want failed", got)
		}
		n.start("IPv6addr::2001:db8::10/64")
		if got := n.status("IPv6addr::2001:db8::10/64"); got != resources.Running {
			t.Errorf("status after Start is %v, want running", got)
		}
	})
}
