package ipaddr

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/mark"
	"github.com/systole-ha/systole/resources/nstest"
)

func TestParseSendArp(t *testing.T) {
	for _, tt := range []struct{ name, word, ip, device, err string }{
		{name: "as the script takes it", word: "SendArp::192.0.2.10/eth1", ip: "192.0.2.10", device: "eth1"},
		{name: "as the script says it does", word: "SendArp::192.0.2.10/24/eth1:0/192.0.2.255", ip: "192.0.2.10", device: "eth1"},
		{name: "with a netmask", word: "SendArp::192.0.2.10/255.255.255.0/eth1", ip: "192.0.2.10", device: "eth1"},
		{name: "IPv6", word: "SendArp::2001:db8::10/eth1", ip: "2001:db8::10", device: "eth1"},
		{name: "nothing", word: "SendArp", err: "SendArp takes an address and an interface, as in SendArp::192.0.2.10/eth0"},
		{name: "no interface", word: "SendArp::192.0.2.10/24", err: "on which interface 192.0.2.10 is to be announced is missing: write SendArp::192.0.2.10/eth0"},
		{name: "no prefix either", word: "SendArp::192.0.2.10", err: "on which interface 192.0.2.10 is to be announced is missing: write SendArp::192.0.2.10/eth0"},
		{name: "an interface as an argument", word: "SendArp::192.0.2.10::eth0", err: `SendArp takes one argument, with "/" between its parts, as in SendArp::192.0.2.10/eth0`},
		{name: "no address", word: "SendArp::eth0", err: `"eth0" is not an IP address`},
		{name: "no interface of that name can be", word: "SendArp::192.0.2.10/a-very-long-name-of-an-interface", err: `"a-very-long-name-of-an-interface" is not the name of an interface`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := resources.ParseSpec(tt.word)
			if err != nil {
				t.Fatal(err)
			}
			ip, device, err := ParseSendArp(s)
			failure := ""
			if err != nil {
				failure = err.Error()
			}
			if failure != tt.err || err == nil && (ip.String() != tt.ip || device != tt.device) {
				t.Errorf("ParseSendArp(%s):\n got %v, %q, %q\nwant %s, %q, %q", tt.word, ip, device, failure, tt.ip, tt.device, tt.err)
			}
		})
	}
}

func FuzzParseSendArp(f *testing.F) {
	for _, word := range []string{"SendArp::192.0.2.10/eth1", "SendArp::192.0.2.10/24/eth1:0/192.0.2.255", "SendArp::2001:db8::10/eth1"} {
		f.Add(word)
	}
	f.Fuzz(func(t *testing.T, word string) {
		s, err := resources.ParseSpec(word)
		if err != nil {
			return
		}
		if ip, device, err := ParseSendArp(s); err == nil && (!ip.IsValid() || !isInterface(device)) {
			t.Errorf("ParseSendArp(%q) = %v, %q", word, ip, device)
		}
	})
}

// TestSendArp has a node announce addresses that it does not have.
func TestSendArp(t *testing.T) {
	node, other := nstest.Pair(t)
	for _, address := range []string{"203.0.113.10", "2001:db8:5::10"} {
		t.Run(address, func(t *testing.T) {
			heard := other.Listen(t, "eth0")
			failures := make(chan error, 10)
			d := NewSendArp(mark.In(t.TempDir()), func(_ resources.Spec, err error) { failures <- err })
			s := resources.Spec{Name: "SendArp", Args: []string{address + "/eth0"}}
			var began time.Time
			node.Do(t, func() {
				began = time.Now()
				for range 2 { // the second of which changes nothing
					if err := d.Start(t.Context(), s); err != nil {
						t.Fatal(err)
					}
				}
			})
			frames := 5 // of IPv6
			if netip.MustParseAddr(address).Is4() {
				frames = 10 // both forms of ARP
			}
			for range frames {
				f := heard.NextAbout(t, netip.MustParseAddr(address))
				if got, want := f.Source.String(), node.Link(t, "eth0").Attrs().HardwareAddr.String(); got != want {
					t.Errorf("an announcement of %s, want %s", got, want)
				}
			}
			if took := time.Since(began); took < 4*arpInterval {
				t.Errorf("five announcements within %v, want 200 ms between them", took)
			}
			if got, err := d.Status(t.Context(), s); got != resources.Running || err != nil {
				t.Errorf("status: got %v, %v; want running", got, err)
			}
			for range 2 {
				if err := d.Stop(t.Context(), s); err != nil {
					t.Fatal(err)
				}
			}
			if got, err := d.Status(t.Context(), s); got != resources.Stopped || err != nil {
				t.Errorf("status: got %v, %v; want stopped", got, err)
			}
			d.Close()
			select {
			case err := <-failures:
				t.Errorf("told of %v", err)
			default:
			}
			if got := node.Addresses(t, "eth0"); slices.Contains(got, address+"/32") || len(got) != 2 {
				t.Errorf("the addresses of the node: %q", got)
			}
		})
	}
}

// TestSendArpEndsWithItsResource stops in the middle of the repeats.
func TestSendArpEndsWithItsResource(t *testing.T) {
	node, other := nstest.Pair(t)
	heard := other.Listen(t, "eth0")
	d := NewSendArp(mark.In(t.TempDir()), func(_ resources.Spec, err error) { t.Error(err) })
	s := resources.Spec{Name: "SendArp", Args: []string{"203.0.113.10/eth0"}}
	node.Do(t, func() {
		if err := d.Start(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	})
	if err := d.Stop(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	d.under.Wait() // and not for long: nothing repeats any more
	for range 2 {
		heard.NextAbout(t, netip.MustParseAddr("203.0.113.10"))
	}
	if f, more := heard.Within(t, 2*arpInterval); more {
		t.Errorf("an announcement after the stop: %v", f)
	}
}

func TestSendArpRefusals(t *testing.T) {
	node, _ := nstest.Pair(t)
	for _, tt := range []struct{ word, err string }{
		{"203.0.113.10/eth7", "start SendArp::203.0.113.10/eth7: no such interface eth7; this machine has eth0, lo"},
		{"203.0.113.10/lo", "start SendArp::203.0.113.10/lo: lo is an interface on which nobody asks for hardware addresses"},
	} {
		d := NewSendArp(mark.In(t.TempDir()), func(_ resources.Spec, err error) { t.Error(err) })
		s := resources.Spec{Name: "SendArp", Args: []string{tt.word}}
		node.Do(t, func() {
			if err := d.Start(t.Context(), s); err == nil || err.Error() != tt.err {
				t.Errorf("start:\n got %v\nwant %s", err, tt.err)
			}
			if got, err := d.Status(t.Context(), s); got != resources.Stopped || err != nil {
				t.Errorf("status: got %v, %v; want stopped", got, err)
			}
		})
	}
}
