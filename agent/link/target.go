package link

import (
	"crypto/rand"
	"net"
	"net/netip"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// outstanding is how many requests to one target can await their replies: at
// a keepalive of 100 ms those of 6 s, which is longer than a reply is of use.
const outstanding = 64

// A target is one address a ping node may answer from.
type target struct {
	text    string
	address netip.Addr // invalid while it has not been found
	to      unix.Sockaddr
	asked   [outstanding]question // by sequence number, modulo
	condition
}

type question struct {
	echo echo
	at   time.Time // zero when answered
}

// aim gives a target its address, if it is one.
func (t *target) aim(address netip.Addr) {
	if address.IsValid() {
		t.address, t.to = address, sockaddr(netip.AddrPortFrom(address, 0), zoneIndex(t.text))
	}
}

// ask sends one request. The caller holds p.mu.
func (t *target) ask(p *Pinger) error {
	q := &t.asked[p.sequence%outstanding]
	q.echo.id, q.echo.sequence = p.id, p.sequence
	rand.Read(q.echo.token[:])
	p.request = appendRequest(p.request[:0], q.echo, p.ping.IPv6)
	q.at = time.Now()
	for {
		err := unix.Sendto(p.sock.fd, p.request, unix.MSG_DONTWAIT, t.to)
		if err != unix.EINTR {
			return err
		}
	}
}

// answered closes the question that e answers, and returns when it was asked.
func (t *target) answered(e echo) (asked time.Time, ok bool) {
	q := &t.asked[e.sequence%outstanding]
	if q.echo != e || q.at.IsZero() {
		return time.Time{}, false
	}
	asked, q.at = q.at, time.Time{}
	return asked, true
}

// zoneIndex is the index of the interface that an address of link scope was
// written with, as in "fe80::1%eth0"; 0 without.
func zoneIndex(text string) int {
	address, err := netip.ParseAddr(text)
	if err != nil || address.Zone() == "" {
		return 0
	}
	if index, err := strconv.Atoi(address.Zone()); err == nil {
		return index
	}
	found, err := net.InterfaceByName(address.Zone())
	if err != nil {
		return 0
	}
	return found.Index
}
