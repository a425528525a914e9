package link

import (
	"bytes"
	"encoding/binary"
	"syscall"

	"golang.org/x/sys/unix"
)

// A known is what the kernel has told of addresses, but for how long they are
// valid. An address with a lease is told of anew at each renewal, a few times a
// second, and nothing about its interface is different for that.
type known map[string]bool

// knownMost bounds it; a machine with more addresses looks more often than it
// would have to.
const knownMost = 1024

// news reports whether a datagram of netlink messages tells anything else than
// that addresses are valid for longer.
func (k *known) news(datagram []byte) bool {
	messages, err := syscall.ParseNetlinkMessage(datagram)
	if err != nil {
		return true
	}
	some := false
	for _, m := range messages {
		if m.Header.Type != unix.RTM_NEWADDR || len(*k) >= knownMost || *k == nil {
			*k = known{} // also for the address that goes and comes back
		}
		if m.Header.Type != unix.RTM_NEWADDR {
			some = true
			continue
		}
		address := string(withoutLifetime(m.Data))
		some = some || !(*k)[address]
		(*k)[address] = true
	}
	return some
}

// withoutLifetime is a message about an address (struct ifaddrmsg and
// attributes, rtnetlink(7)) without its IFA_CACHEINFO.
func withoutLifetime(message []byte) []byte {
	kept := bytes.Clone(message[:min(len(message), unix.SizeofIfAddrmsg)])
	for rest := message[len(kept):]; len(rest) >= unix.SizeofRtAttr; {
		length := int(binary.NativeEndian.Uint16(rest))
		padded := min(len(rest), (length+unix.RTA_ALIGNTO-1)&^(unix.RTA_ALIGNTO-1))
		if length < unix.SizeofRtAttr {
			return append(kept, rest...)
		}
		if binary.NativeEndian.Uint16(rest[2:]) != unix.IFA_CACHEINFO {
			kept = append(kept, rest[:padded]...)
		}
		rest = rest[padded:]
	}
	return kept
}
