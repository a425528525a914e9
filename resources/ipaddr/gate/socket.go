package gate

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// A socket says the few words of nftables that are said at every beat: a system
// call to send them, one or two to read the answer, which is there when the
// first returns, and no memory. github.com/google/nftables says everything
// else; it takes some ten times as long, and cannot name a generation.
//
// The form of the messages: linux/netfilter/nfnetlink.h and nf_tables.h.
type socket struct {
	fd     int
	out    []byte
	answer []byte
}

func open() (*socket, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
	if err != nil {
		return nil, err
	}
	// Answers need not repeat the question.
	if err := unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_CAP_ACK, 1); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return &socket{fd: fd, out: make([]byte, 0, 1024), answer: make([]byte, 8192)}, nil
}

func (s *socket) close() { unix.Close(s.fd) }

// Attributes and messages that package unix has no names for.
const (
	batchGeneration = 1 // NFNL_BATCH_GENID
	nfTables        = unix.NFNL_SUBSYS_NFTABLES
)

// renew has the elements live for so long from now, in one transaction. While
// they live it deletes them and adds them again, which every kernel takes for a
// new life: the deletion fails for what is over, and with it the whole, with
// ENOENT. It fails with ERESTART if the ruleset is of another generation than
// the given one; 0 is any.
func (s *socket) renew(generation uint32, life time.Duration, living bool) error {
	s.out = s.out[:0]
	s.message(unix.NFNL_MSG_BATCH_BEGIN, 0, unix.AF_UNSPEC, nfTables, func() {
		if generation != 0 {
			s.attribute(batchGeneration, func() { s.out = binary.BigEndian.AppendUint32(s.out, generation) })
		}
	})
	for _, t := range tables {
		if living {
			s.elements(unix.NFT_MSG_DELSETELEM, 0, t, 0)
		}
		s.elements(unix.NFT_MSG_NEWSETELEM, unix.NLM_F_CREATE|unix.NLM_F_ACK, t, life)
	}
	s.message(unix.NFNL_MSG_BATCH_END, 0, unix.AF_UNSPEC, nfTables, func() {})
	return s.ask(len(tables), nil)
}

// elements is about the elements of a table that live or do not.
func (s *socket) elements(kind, flags uint16, t table, life time.Duration) {
	s.message(nfTables<<8|kind, flags, t.family, 0, func() {
		s.text(unix.NFTA_SET_ELEM_LIST_TABLE, name)
		s.text(unix.NFTA_SET_ELEM_LIST_SET, alive)
		s.attribute(unix.NFTA_SET_ELEM_LIST_ELEMENTS|unix.NLA_F_NESTED, func() {
			for _, protocol := range t.protocols {
				s.attribute(unix.NFTA_LIST_ELEM|unix.NLA_F_NESTED, func() {
					s.attribute(unix.NFTA_SET_ELEM_KEY|unix.NLA_F_NESTED, func() {
						s.attribute(unix.NFTA_DATA_VALUE, func() { s.out = append(s.out, protocol) })
					})
					if life > 0 {
						s.attribute(unix.NFTA_SET_ELEM_TIMEOUT, func() {
							s.out = binary.BigEndian.AppendUint64(s.out, uint64(life.Milliseconds()))
						})
					}
				})
			}
		})
	})
}

// generation is that of the ruleset.
func (s *socket) generation() (n uint32, err error) {
	s.out = s.out[:0]
	s.message(nfTables<<8|unix.NFT_MSG_GETGEN, 0, unix.AF_UNSPEC, 0, func() {})
	err = s.ask(0, func(kind uint16, b []byte) {
		for len(b) >= 8 && kind == nfTables<<8|unix.NFT_MSG_NEWGEN {
			if binary.NativeEndian.Uint16(b[2:]) == unix.NFTA_GEN_ID {
				n = binary.BigEndian.Uint32(b[4:])
			}
			b = b[min(align(int(binary.NativeEndian.Uint16(b))), len(b)):]
		}
	})
	if err == nil && n == 0 {
		err = errNoAnswer
	}
	return n, err
}

// errNoAnswer is a kernel that does not do as nfnetlink does.
var errNoAnswer = errors.New("the kernel gave no answer")

// ask sends what there is and reads all there is in answer. The error is the
// first that the kernel reports.
func (s *socket) ask(acknowledgements int, read func(kind uint16, attributes []byte)) error {
	if err := unix.Sendto(s.fd, s.out, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	var first error
	for {
		n, _, err := unix.Recvfrom(s.fd, s.answer, unix.MSG_DONTWAIT)
		switch {
		case errors.Is(err, unix.EAGAIN):
			if first == nil && acknowledgements > 0 {
				first = errNoAnswer
			}
			return first
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return err
		}
		for b := s.answer[:n]; len(b) >= unix.NLMSG_HDRLEN; {
			size, kind := int(binary.NativeEndian.Uint32(b)), binary.NativeEndian.Uint16(b[4:])
			if size < unix.NLMSG_HDRLEN || size > len(b) {
				return fmt.Errorf("a message of %d bytes in %d", size, len(b))
			}
			body := b[unix.NLMSG_HDRLEN:size]
			switch {
			case kind == unix.NLMSG_ERROR && len(body) >= 4:
				if code := int32(binary.NativeEndian.Uint32(body)); code == 0 {
					acknowledgements--
				} else if first == nil {
					first = unix.Errno(-code)
				}
			case read != nil && len(body) >= headerSize:
				read(kind, body[headerSize:])
			}
			b = b[min(align(size), len(b)):]
		}
	}
}

// headerSize is that of struct nfgenmsg.
const headerSize = 4

func (s *socket) message(kind, flags uint16, family byte, resource uint16, body func()) {
	begin := len(s.out)
	s.out = binary.NativeEndian.AppendUint32(s.out, 0) // the length, when it is known
	s.out = binary.NativeEndian.AppendUint16(s.out, kind)
	s.out = binary.NativeEndian.AppendUint16(s.out, unix.NLM_F_REQUEST|flags)
	s.out = append(s.out, 0, 0, 0, 0, 0, 0, 0, 0) // sequence, port: nobody else asks here
	s.out = append(s.out, family, unix.NFNETLINK_V0)
	s.out = binary.BigEndian.AppendUint16(s.out, resource)
	body()
	binary.NativeEndian.PutUint32(s.out[begin:], uint32(len(s.out)-begin))
}

func (s *socket) attribute(kind uint16, value func()) {
	begin := len(s.out)
	s.out = binary.NativeEndian.AppendUint16(s.out, 0)
	s.out = binary.NativeEndian.AppendUint16(s.out, kind)
	value()
	binary.NativeEndian.PutUint16(s.out[begin:], uint16(len(s.out)-begin))
	for len(s.out)%4 != 0 {
		s.out = append(s.out, 0)
	}
}

func (s *socket) text(kind uint16, text string) {
	s.attribute(kind, func() { s.out = append(append(s.out, text...), 0) })
}

func align(n int) int { return (n + 3) &^ 3 }
