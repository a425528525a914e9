package worker

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mdlayher/arp"
	"github.com/mdlayher/ethernet"
	"github.com/mdlayher/packet"
	"golang.org/x/sys/unix"
)

// others is how long after the first answer to a question further ones count:
// the other node's comes some tens of µs later.
const others = 2 * time.Millisecond

// An arpAsker asks everybody on the network who has an address, and hears all
// who say that they have: whom of two a neighbour believes is not its affair.
type arpAsker struct {
	conn     *packet.Conn
	target   netip.Addr
	question []byte

	mu   sync.Mutex
	open map[chan string]bool // questions that wait
}

func askARP(host string) (func(context.Context) (string, error), error) {
	a := &arpAsker{open: map[chan string]bool{}}
	var err error
	if a.target, err = netip.ParseAddr(host); err != nil {
		return nil, err
	}
	ifi, own, err := towards(a.target)
	if err != nil {
		return nil, err
	}
	p, err := arp.NewPacket(arp.OperationRequest, ifi.HardwareAddr, own, make(net.HardwareAddr, 6), a.target)
	if err != nil {
		return nil, err
	}
	f := ethernet.Frame{Destination: ethernet.Broadcast, Source: ifi.HardwareAddr, EtherType: ethernet.EtherTypeARP}
	if f.Payload, err = p.MarshalBinary(); err != nil {
		return nil, err
	}
	if a.question, err = f.MarshalBinary(); err != nil {
		return nil, err
	}
	if a.conn, err = packet.Listen(ifi, packet.Raw, unix.ETH_P_ARP, nil); err != nil {
		return nil, err
	}
	go a.listen()
	return a.ask, nil
}

// towards finds the interface whose network an address is in.
func towards(target netip.Addr) (*net.Interface, netip.Addr, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, netip.Addr{}, err
	}
	for _, ifi := range all {
		addresses, err := ifi.Addrs()
		if err != nil {
			return nil, netip.Addr{}, err
		}
		for _, a := range addresses {
			if p, err := netip.ParsePrefix(a.String()); err == nil && p.Contains(target) {
				return &ifi, p.Addr(), nil
			}
		}
	}
	return nil, netip.Addr{}, fmt.Errorf("no network has %s", target)
}

func (a *arpAsker) ask(ctx context.Context) (string, error) {
	answers := make(chan string, 16)
	a.mu.Lock()
	a.open[answers] = true
	a.mu.Unlock()
	defer func() {
		a.mu.Lock()
		delete(a.open, answers)
		a.mu.Unlock()
	}()
	if _, err := a.conn.WriteTo(a.question, &packet.Addr{HardwareAddr: ethernet.Broadcast}); err != nil {
		return "", err
	}
	var who []string
	var enough <-chan time.Time
	for {
		select {
		case mac := <-answers:
			if !slices.Contains(who, mac) {
				who = append(who, mac)
			}
			if enough == nil {
				enough = time.After(others)
			}
		case <-enough:
			slices.Sort(who)
			return strings.Join(who, "+"), nil
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

// listen tells every question that waits who answers, until the socket ends.
func (a *arpAsker) listen() {
	buffer := make([]byte, 128)
	for {
		n, _, err := a.conn.ReadFrom(buffer)
		if err != nil {
			return
		}
		var f ethernet.Frame
		var p arp.Packet
		if f.UnmarshalBinary(buffer[:n]) != nil || p.UnmarshalBinary(f.Payload) != nil ||
			p.Operation != arp.OperationReply || p.SenderIP != a.target || p.TargetIP == a.target {
			continue // not an answer: announcements are for everybody
		}
		mac := p.SenderHardwareAddr.String()
		a.mu.Lock()
		for answers := range a.open {
			select {
			case answers <- mac:
			default:
			}
		}
		a.mu.Unlock()
	}
}
