package worker

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// A CensusSpec says for which address, and how often, everybody is asked.
type CensusSpec struct {
	Address netip.Addr // IPv4
	Device  string     // on whose network
	Every   time.Duration
	Gap     time.Duration // silence that ends an answering
}

// A CensusMessage is a stretch of time in which one hardware address answered,
// monotonic; or, as the first message, that the asking has begun.
type CensusMessage struct {
	Hardware string        `json:",omitempty"`
	From, To time.Duration `json:",omitempty"`
}

// Census asks all machines of a network who has an address, and asks whoever
// has it for an echo: both in frames to everybody, so that no neighbour table
// decides who is heard. It does so until its input ends, and tells for each
// hardware address when it answered either question.
func Census(pipe *Pipe) error {
	var spec CensusSpec
	if err := pipe.Receive(&spec); err != nil {
		return err
	}
	c, err := newCensus(spec)
	if err != nil {
		return err
	}
	realtime(PriorityProbe)
	if err := errors.Join(pipe.Send(CensusMessage{}), pipe.Flush()); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		var none struct{}
		_ = pipe.Receive(&none) // only ever io.EOF
		close(ended)
	}()
	go c.ask(spec.Every)
	for {
		select {
		case <-ended:
			return c.tell(pipe, true)
		default:
		}
		if err := errors.Join(c.hear(), c.tell(pipe, false)); err != nil {
			return err
		}
	}
}

type census struct {
	spec      CensusSpec
	sockets   []unix.PollFd // of ARP, of IPv4
	questions [][]byte      // a frame for each
	answers   map[string]*CensusMessage
}

// The offsets are those of Ethernet, RFC 826, RFC 791 and RFC 792.
const (
	ethernetLength = 14
	arpReply       = 2
	ipv4Length     = 20
	protocolICMP   = 1
	etherIPv4      = 0x0800
	etherARP       = 0x0806
)

func newCensus(spec CensusSpec) (*census, error) {
	device, err := net.InterfaceByName(spec.Device)
	if err != nil {
		return nil, err
	}
	own, err := firstIPv4(device)
	if err != nil {
		return nil, err
	}
	c := &census{spec: spec, answers: map[string]*CensusMessage{}}
	for _, protocol := range []uint16{etherARP, etherIPv4} {
		wire := protocol<<8 | protocol>>8
		socket, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, int(wire))
		if err != nil {
			return nil, err
		}
		_ = unix.SetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 4<<20)
		if protocol == etherIPv4 {
			if err := unix.SetsockoptSockFprog(socket, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(onlyICMP)), Filter: &onlyICMP[0]}); err != nil {
				return nil, err
			}
		}
		if err := unix.Bind(socket, &unix.SockaddrLinklayer{Protocol: wire, Ifindex: device.Index}); err != nil {
			return nil, err
		}
		c.sockets = append(c.sockets, unix.PollFd{Fd: int32(socket), Events: unix.POLLIN})
	}
	c.questions = [][]byte{
		arpRequest(device.HardwareAddr, own, spec.Address),
		echoFrame(device.HardwareAddr, own, spec.Address),
	}
	return c, nil
}

// onlyICMP passes frames whose IPv4 header says ICMP (bpf(4)): a prober beside us
// makes thousands of others in a second.
var onlyICMP = []unix.SockFilter{
	{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: ethernetLength + 9},
	{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: protocolICMP},
	{Code: unix.BPF_RET | unix.BPF_K, K: 1 << 16},
	{Code: unix.BPF_RET | unix.BPF_K},
}

func firstIPv4(device *net.Interface) (netip.Addr, error) {
	addresses, err := device.Addrs()
	if err != nil {
		return netip.Addr{}, err
	}
	for _, a := range addresses {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil && prefix.Addr().Is4() {
			return prefix.Addr(), nil
		}
	}
	return netip.Addr{}, fmt.Errorf("%s has no IPv4 address", device.Name)
}

func toAll(from net.HardwareAddr, protocol uint16) []byte {
	frame := append(bytes.Repeat([]byte{0xff}, 6), from...)
	return binary.BigEndian.AppendUint16(frame, protocol)
}

func arpRequest(hardware net.HardwareAddr, own, asked netip.Addr) []byte {
	frame := append(toAll(hardware, etherARP), 0, 1, 8, 0, 6, 4, 0, 1)
	frame = append(append(frame, hardware...), own.AsSlice()...)
	return append(append(frame, 0, 0, 0, 0, 0, 0), asked.AsSlice()...)
}

// echoFrame is an echo request in a frame to everybody, which Linux answers
// unless drop_unicast_in_l2_multicast is set.
func echoFrame(hardware net.HardwareAddr, own, asked netip.Addr) []byte {
	message := echo(echoRequest4, censusID, 0)
	header := make([]byte, ipv4Length)
	header[0], header[8], header[9] = 0x45, 64, protocolICMP
	binary.BigEndian.PutUint16(header[2:], uint16(len(header)+len(message)))
	copy(header[12:], own.AsSlice())
	copy(header[16:], asked.AsSlice())
	binary.BigEndian.PutUint16(header[10:], checksum(header))
	return append(append(toAll(hardware, etherIPv4), header...), message...)
}

// censusID tells our echoes from those of a prober.
const censusID = 0x5379

func (c *census) ask(every time.Duration) {
	onTime()
	for due := Now() + every; ; due += every {
		sleepUntil(due)
		for i, frame := range c.questions {
			_, _ = unix.Write(int(c.sockets[i].Fd), frame) // the cable may be pulled
		}
		if late := Now() - due; late > every {
			due += late / every * every
		}
	}
}

// hear waits a little and takes in what has come.
func (c *census) hear() error {
	poll := []unix.PollFd{c.sockets[0], c.sockets[1]}
	if _, err := unix.Poll(poll, 20); err != nil && err != unix.EINTR {
		return err
	}
	buffer := make([]byte, 2048)
	for i := range poll {
		for {
			n, _, err := unix.Recvfrom(int(poll[i].Fd), buffer, unix.MSG_DONTWAIT)
			if err == unix.EAGAIN || err == unix.EINTR || err == unix.ENETDOWN {
				break
			}
			if err != nil {
				return err
			}
			if c.isAnswer(buffer[:n]) {
				c.note(net.HardwareAddr(buffer[6:12]).String(), Now())
			}
		}
	}
	return nil
}

func (c *census) isAnswer(frame []byte) bool {
	address := c.spec.Address.AsSlice()
	if len(frame) < ethernetLength+28 {
		return false
	}
	switch body := frame[ethernetLength:]; binary.BigEndian.Uint16(frame[12:]) {
	case etherARP:
		return binary.BigEndian.Uint16(body[6:]) == arpReply && bytes.Equal(body[14:18], address) && !bytes.Equal(body[24:28], address)
	case etherIPv4:
		echoed := body[ipv4Length:]
		return body[9] == protocolICMP && bytes.Equal(body[12:16], address) &&
			echoed[0] == echoReply4 && binary.BigEndian.Uint16(echoed[4:]) == censusID
	}
	return false
}

// note counts an answer to the stretch of its machine, or begins one: the one
// before is told when it has been silent for long enough.
func (c *census) note(hardware string, at time.Duration) {
	a := c.answers[hardware]
	if a == nil {
		a = &CensusMessage{Hardware: hardware, From: at}
		c.answers[hardware] = a
	}
	a.To = at
}

func (c *census) tell(pipe *Pipe, all bool) error {
	for hardware, a := range c.answers {
		if !all && Now()-a.To < c.spec.Gap {
			continue
		}
		delete(c.answers, hardware)
		if err := pipe.Send(a); err != nil {
			return err
		}
	}
	return pipe.Flush()
}
