package worker

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"sync"
)

// The types of echo request and reply: RFC 792, RFC 4443.
const (
	echoRequest4, echoReply4 = 8, 0
	echoRequest6, echoReply6 = 128, 129
)

// pinger sends echo requests on one raw socket and hands each reply to the
// question with its sequence number.
type pinger struct {
	conn    net.PacketConn
	to      net.Addr
	request byte
	reply   byte
	id      uint16
	mu      sync.Mutex
	next    uint16
	waiting map[uint16]chan struct{} // at most timeout / interval of them
}

func askICMP(host string) (func(context.Context) (string, error), error) {
	address, err := netip.ParseAddr(host)
	if err != nil {
		return nil, err
	}
	p := &pinger{
		to:      &net.IPAddr{IP: address.AsSlice(), Zone: address.Zone()},
		request: echoRequest4, reply: echoReply4,
		id:      uint16(os.Getpid()),
		waiting: map[uint16]chan struct{}{},
	}
	network := "ip4:icmp"
	if address.Is6() {
		network, p.request, p.reply = "ip6:ipv6-icmp", echoRequest6, echoReply6
	}
	if p.conn, err = net.ListenPacket(network, ""); err != nil {
		return nil, err
	}
	go p.read()
	return p.ask, nil
}

func (p *pinger) ask(ctx context.Context) (string, error) {
	p.mu.Lock()
	p.next++
	sequence, answered := p.next, make(chan struct{})
	p.waiting[sequence] = answered
	p.mu.Unlock()
	defer p.forget(sequence)
	if _, err := p.conn.WriteTo(echo(p.request, p.id, sequence), p.to); err != nil {
		return "", err
	}
	select {
	case <-answered:
		return "", nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func (p *pinger) forget(sequence uint16) {
	p.mu.Lock()
	delete(p.waiting, sequence)
	p.mu.Unlock()
}

// read hears every echo reply of the namespace, also those to other processes.
func (p *pinger) read() {
	buffer := make([]byte, 2048)
	for {
		n, _, err := p.conn.ReadFrom(buffer)
		if err != nil {
			continue // an ICMP error for an earlier request, such as no route to host
		}
		if n < 8 || buffer[0] != p.reply || binary.BigEndian.Uint16(buffer[4:]) != p.id {
			continue
		}
		p.answered(binary.BigEndian.Uint16(buffer[6:]))
	}
}

func (p *pinger) answered(sequence uint16) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if answered, ok := p.waiting[sequence]; ok {
		delete(p.waiting, sequence)
		close(answered)
	}
}

// echo is an echo message without data. The kernel fills in the checksum for
// IPv6 and writes over ours.
func echo(kind byte, id, sequence uint16) []byte {
	message := make([]byte, 8)
	message[0] = kind
	binary.BigEndian.PutUint16(message[4:], id)
	binary.BigEndian.PutUint16(message[6:], sequence)
	binary.BigEndian.PutUint16(message[2:], checksum(message))
	return message
}

// checksum is that of RFC 1071 over an even number of bytes.
func checksum(data []byte) uint16 {
	var sum uint32
	for i := 0; i < len(data); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(data[i:]))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
