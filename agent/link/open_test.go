package link

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/systole-ha/systole/agent/wire"
	"github.com/systole-ha/systole/resources/nstest"
)

func TestOpenNamesWhatItMakes(t *testing.T) {
	n := newNode(t, nil,
		broadcast, unicastTo("192.0.2.2"), unicastTo("192.0.2.3"), group, group6,
		unicast6To("2001:db8::2"), Serial{Device: "/dev/ttyS0", Baud: 19200},
	)
	want := []struct {
		name, kind string
		format     wire.Format
	}{
		{"eth0", "bcast", wire.Netstring}, {"eth0", "ucast", wire.Netstring}, {"eth0", "ucast", wire.Netstring},
		{"eth0", "mcast", wire.Netstring}, {"eth0", "mcast6", wire.Netstring}, {"eth0", "ucast6", wire.Netstring},
		{"/dev/ttyS0", "serial", wire.Classic},
	}
	for i, l := range n.links {
		if l.Name() != want[i].name || l.Kind() != want[i].kind || l.Format() != want[i].format || l.Index() != i {
			t.Errorf("link %d is %s %s, format %v, index %d; want %+v", i, l.Kind(), l.Name(), l.Format(), l.Index(), want[i])
		}
		var refused *SendError
		if err := l.Send([]byte("x")); !errors.As(err, &refused) || !errors.Is(err, ErrNotOpen) {
			t.Errorf("Send on link %d before Run: %v, want %v", i, err, ErrNotOpen)
		}
		l.Drain(func(*Packet) { t.Errorf("link %d had a packet before Run", i) })
	}
}

func TestOpenRefusesNonsense(t *testing.T) {
	tests := []struct {
		name   string
		medium Medium
		want   string
	}{
		{"an interface without a name", Broadcast{Port: 694}, `"" is not the name of an interface`},
		{"a name longer than an interface can have", Broadcast{Device: "abcdefghijklmnop", Port: 694}, "is not the name of an interface"},
		{"port 0", Broadcast{Device: "eth0"}, "port 0"},
		{"a group that is none", Multicast{Device: "eth0", Group: netip.MustParseAddr("192.0.2.1"), Port: 694}, "192.0.2.1 is not a multicast group"},
		{"no group", Multicast{Device: "eth0", Port: 694}, "is not a multicast group"},
		{"a ttl of 256", Multicast{Device: "eth0", Group: group.Group, Port: 694, TTL: 256}, "ttl 256 is not between 0 and 255"},
		{"a ucast line without a peer", Unicast{Device: "eth0", Port: 694}, "ucast without a peer"},
		{"a ucast line with an IPv6 address", Unicast{Device: "eth0", Target: "::2", Port: 694}, "::2 is an address of the other IP version"},
		{"a ucast6 line with an IPv4 address", Unicast{Device: "eth0", Target: "192.0.2.2", Port: 694, IPv6: true}, "other IP version"},
		{"a serial device without a path", Serial{Device: "ttyS0", Baud: 19200}, `"ttyS0" is not the full path`},
		{"a speed no line has", Serial{Device: "/dev/ttyS0", Baud: 19600}, "19600 is not the speed"},
	}
	for _, tt := range tests {
		_, err := Open(ring(t, "beat"), &node{}, broadcast, tt.medium)
		var medium *MediumError
		if !errors.As(err, &medium) || medium.Index != 1 || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q about medium 1", tt.name, err, tt.want)
		}
	}
}

// Three nodes, two ucast lines on one interface: each hears its own peer.
func TestChoose(t *testing.T) {
	n := newNode(t, nil, unicastTo("192.0.2.2"), broadcast, unicastTo("192.0.2.3"))
	p := n.links[0].(*udp).port
	tests := []struct {
		name      string
		source    string
		broadcast bool
		want      int
	}{
		{"a unicast of the first peer", "192.0.2.2", false, 0},
		{"a unicast of the second peer", "192.0.2.3", false, 2},
		{"a unicast of a stranger", "192.0.2.9", false, 0},
		{"a broadcast of the first peer", "192.0.2.2", true, 1},
		{"a broadcast of a stranger", "192.0.2.9", true, 1},
	}
	for _, tt := range tests {
		d := &datagram{source: netip.AddrPortFrom(netip.MustParseAddr(tt.source), 40000), broadcast: tt.broadcast}
		if got := p.choose(d).index; got != tt.want {
			t.Errorf("%s goes to link %d, want %d", tt.name, got, tt.want)
		}
	}
	n.links[0].Close()
	d := &datagram{source: netip.MustParseAddrPort("192.0.2.2:694")}
	if got := p.choose(d).index; got != 2 {
		t.Errorf("with the first link closed, a unicast of its peer goes to link %d, want 2", got)
	}
}

func TestSocketOptions(t *testing.T) {
	tests := []struct {
		name          string
		medium        Medium
		level, option int
		least, most   int
	}{
		{"packets go first", broadcast, unix.SOL_SOCKET, unix.SO_PRIORITY, 6, 6},
		{"they are marked as network control", broadcast, unix.IPPROTO_IP, unix.IP_TOS, 0xc0, 0xc0},
		{"in IPv6 too", group6, unix.IPPROTO_IPV6, unix.IPV6_TCLASS, 0xc0, 0xc0},
		{"packets of groups we are not in stay away", broadcast, unix.IPPROTO_IP, unix.IP_MULTICAST_ALL, 0, 0},
		{"what waits to be read has room, which the kernel doubles", broadcast, unix.SOL_SOCKET, unix.SO_RCVBUF, 8 << 20, 8 << 20},
		{"what waits to be sent has little", broadcast, unix.SOL_SOCKET, unix.SO_SNDBUF, 1, 64 << 10},
		{"a multicast goes as far as configured", group, unix.IPPROTO_IP, unix.IP_MULTICAST_TTL, 1, 1},
	}
	ns, _ := nstest.Pair(t)
	for _, tt := range tests {
		n := newNode(t, ns, tt.medium)
		openWithoutReader(t, n)
		got, err := unix.GetsockoptInt(n.links[0].(*udp).port.sock.fd, tt.level, tt.option)
		if err != nil || got < tt.least || got > tt.most {
			t.Errorf("%s: option is %d, %v, want %d to %d", tt.name, got, err, tt.least, tt.most)
		}
	}
}

func TestPortOfAnother(t *testing.T) {
	ns, _ := nstest.Pair(t)
	var fd int
	ns.Do(t, func() {
		var err error
		fd, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		must(t, err)
		must(t, unix.Bind(fd, &unix.SockaddrInet4{Port: haPort}))
	})
	n := start(t, ns, broadcast)
	n.awaitState(0, "waiting in_use")
	must(t, unix.Close(fd))
	n.awaitState(0, "open")
}

func TestSendErrors(t *testing.T) {
	ns, _ := nstest.Pair(t)
	n := start(t, ns, unicastTo("192.0.2.2"))
	n.awaitOpen()
	var refused *SendError
	if err := n.links[0].Send(make([]byte, maxDatagram+1)); !errors.As(err, &refused) || refused.Reason != SendNoBuffer {
		t.Errorf("Send of more than a datagram holds: %v, want reason %s", err, SendNoBuffer)
	}
	if err := n.links[0].Send(make([]byte, maxDatagram)); err != nil {
		t.Errorf("Send of as much as a datagram holds: %v", err)
	}
	if got := n.links[0].Stats(); got.Sent != 1 || got.SentBytes != maxDatagram || got.SendErrors != 1 {
		t.Errorf("stats %+v, want one sent and one error", got)
	}
	for errno, want := range map[unix.Errno]string{
		unix.EAGAIN: SendBusy, unix.ENETUNREACH: SendNoRoute, unix.ENETDOWN: SendNoDevice,
		unix.ENOBUFS: SendNoBuffer, unix.EPERM: SendRefused, unix.EINVAL: SendOther,
	} {
		if got := sendError("eth0", errno); got.Reason != want || errno == unix.EAGAIN && !errors.Is(got, ErrBusy) {
			t.Errorf("%v is %v, want reason %s", errno, got, want)
		}
	}
}

func TestSetKeyring(t *testing.T) {
	ns1, ns2 := nstest.Pair(t)
	left, right := start(t, ns1, group), start(t, ns2, group)
	exchange(t, left, right, "old key")
	right.links[0].SetKeyring(ring(t, "rolled"))
	left.send(0, "refused")
	nstest.Await(t, "the old key is refused", func() bool {
		return right.links[0].Stats().Rejected["bad_signature"] == 1
	})
	left.codec = ring(t, "rolled").NewCodec()
	before := len(right.all())
	left.send(0, "new key")
	if got := right.await(before + 1)[before].Text; got != "new key" {
		t.Errorf("heard %q, want %q", got, "new key")
	}
}
