package nstest

import (
	"net"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/mdlayher/arp"
	"github.com/vishvananda/netlink"
)

func TestTheTwoNodesHearEachOther(t *testing.T) {
	tests := []struct {
		name, left, right string
	}{
		{name: "by IPv4 on the first cable", left: "192.0.2.1:0", right: "192.0.2.2:694"},
		{name: "by IPv6 on the first cable", left: "[2001:db8::1]:0", right: "[2001:db8::2]:694"},
		{name: "by IPv4 on the second cable", left: "198.51.100.1:0", right: "198.51.100.2:694"},
		{name: "by IPv6 on the second cable", left: "[2001:db8:1::1]:0", right: "[2001:db8:1::2]:694"},
	}
	left, right := Pair(t, Cables(2))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			listener := listenUDP(t, right, tt.right)
			sender := listenUDP(t, left, tt.left)
			if _, err := sender.WriteTo([]byte("keepalive"), listener.LocalAddr()); err != nil {
				t.Fatal(err)
			}
			if err := listener.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
				t.Fatal(err)
			}
			buffer := make([]byte, 64)
			n, from, err := listener.ReadFrom(buffer)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(buffer[:n]); got != "keepalive" || from.String() != sender.LocalAddr().String() {
				t.Errorf("heard\n got %q from %v\nwant %q from %v", got, from, "keepalive", sender.LocalAddr())
			}
		})
	}
}

func listenUDP(t *testing.T, n *Namespace, address string) (conn net.PacketConn) {
	t.Helper()
	var err error
	n.Do(t, func() { conn, err = net.ListenPacket("udp", address) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestPairGivesTheAddressesItPromises(t *testing.T) {
	left, right := Pair(t)
	if got, want := left.Addresses(t, "eth0"), []string{"192.0.2.1/24", "2001:db8::1/64"}; !slices.Equal(got, want) {
		t.Errorf("left has\n got %v\nwant %v", got, want)
	}
	if got, want := right.Addresses(t, "eth0"), []string{"192.0.2.2/24", "2001:db8::2/64"}; !slices.Equal(got, want) {
		t.Errorf("right has\n got %v\nwant %v", got, want)
	}
}

func TestDoBringsTheThreadHome(t *testing.T) {
	n := New(t, "elsewhere")
	before := currentNamespace(t)
	var inside string
	n.Do(t, func() { inside = currentNamespace(t) })
	if inside == before {
		t.Errorf("Do ran in the namespace of the test, %s", before)
	}
	if after := currentNamespace(t); after != before {
		t.Errorf("after Do the test is in %s, was in %s", after, before)
	}
}

func TestTwoNamespacesAreTwo(t *testing.T) {
	var one, other string
	New(t, "one").Do(t, func() { one = currentNamespace(t) })
	New(t, "other").Do(t, func() { other = currentNamespace(t) })
	if one == other {
		t.Errorf("both are %s", one)
	}
}

func TestPathLeadsToTheNamespace(t *testing.T) {
	n := New(t, "node")
	var inside string
	n.Do(t, func() { inside = currentNamespace(t) })
	got, err := os.Readlink(n.Path())
	if err != nil {
		t.Fatal(err)
	}
	if got != inside {
		t.Errorf("Path leads to %s, want %s", got, inside)
	}
}

func currentNamespace(t *testing.T) string {
	t.Helper()
	name, err := os.Readlink("/proc/thread-self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func TestSettingsStayInTheNamespace(t *testing.T) {
	const key = "ipv4/conf/all/promote_secondaries"
	one, other := New(t, "one"), New(t, "other")
	one.Sysctl(t, key, "1")
	other.Sysctl(t, key, "0")
	if got, want := one.ReadSysctl(t, key), "1\n"; got != want {
		t.Errorf("the first namespace has %q, want %q", got, want)
	}
	if got, want := other.ReadSysctl(t, key), "0\n"; got != want {
		t.Errorf("the second namespace has %q, want %q", got, want)
	}
}

func TestListenerHearsTheOtherNodeAsk(t *testing.T) {
	left, right := Pair(t)
	listener := right.Listen(t, "eth0")

	sender := listenUDP(t, left, "192.0.2.1:0")
	if _, err := sender.WriteTo([]byte("hello"), &net.UDPAddr{IP: net.IPv4(192, 0, 2, 2), Port: 694}); err != nil {
		t.Fatal(err)
	}

	frame := listener.Next(t)
	if frame.ARP == nil {
		t.Fatalf("the first frame is no ARP packet: %+v", frame)
	}
	got := []any{frame.ARP.Operation, frame.ARP.SenderIP.String(), frame.ARP.SenderHardwareAddr.String(), frame.ARP.TargetIP.String()}
	want := []any{arp.OperationRequest, "192.0.2.1", left.Link(t, "eth0").Attrs().HardwareAddr.String(), "192.0.2.2"}
	if !slices.Equal(got, want) {
		t.Errorf("heard\n got %v\nwant %v", got, want)
	}
}

func TestNeighbourIsWhatWasSet(t *testing.T) {
	_, right := Pair(t)
	mac := net.HardwareAddr{2, 0, 0, 0, 0, 9}
	for _, address := range []string{"192.0.2.10", "2001:db8::10"} {
		ip := netip.MustParseAddr(address)
		if got, ok := right.Neighbour(t, "eth0", ip); ok {
			t.Errorf("%s is known before it was set: %v", ip, got)
		}
		right.SetNeighbour(t, "eth0", ip, mac)
		got, ok := right.Neighbour(t, "eth0", ip)
		if !ok || got.MAC.String() != mac.String() || got.Age > time.Second {
			t.Errorf("neighbour %s is %v (known: %t), want %s of age 0", ip, got, ok, mac)
		}
	}
}

func TestNothingIsLeftWhenATestEnds(t *testing.T) {
	var inside string
	t.Run("a test with a pair", func(t *testing.T) {
		left, _ := Pair(t)
		left.Do(t, func() { inside = currentNamespace(t) })
		if !holds(t, inside) {
			t.Errorf("%s is not open while its test runs", inside)
		}
	})
	if holds(t, inside) {
		t.Errorf("%s is still open after its test", inside)
	}
}

// holds reports whether this process has a descriptor of the namespace.
func holds(t *testing.T, namespace string) bool {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(files, func(f os.DirEntry) bool {
		target, err := os.Readlink("/proc/self/fd/" + f.Name())
		return err == nil && target == namespace
	})
}

func TestSetMACIsWhatTheCableSees(t *testing.T) {
	left, _ := Pair(t)
	want := left.SetMAC(t, "eth0", "02:00:00:00:00:07")
	if got := left.Link(t, "eth0").Attrs().HardwareAddr; got.String() != want.String() {
		t.Errorf("MAC of eth0 is %v, want %v", got, want)
	}
}

func TestCableCanBeLaidAgain(t *testing.T) {
	left, right := Pair(t)
	before := left.Link(t, "eth0").Attrs().Index
	if err := left.Netlink().LinkDel(left.Link(t, "eth0")); err != nil {
		t.Fatal(err)
	}
	Cable(t, left, right, "eth0")
	if after := left.Link(t, "eth0").Attrs().Index; after == before {
		t.Errorf("the new eth0 has the index of the old one, %d", before)
	}
	if state := right.Link(t, "eth0").Attrs().OperState; state != netlink.OperUp {
		t.Errorf("the new eth0 of the right node is %v, want up", state)
	}
}
