package link

import (
	"encoding/binary"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// told is a netlink message about an address of an interface.
func told(kind uint16, index uint32, address byte, valid uint32) []byte {
	attribute := func(kind uint16, data ...byte) []byte {
		a := binary.NativeEndian.AppendUint16(nil, uint16(unix.SizeofRtAttr+len(data)))
		return append(binary.NativeEndian.AppendUint16(a, kind), data...)
	}
	body := binary.NativeEndian.AppendUint32([]byte{unix.AF_INET, 24, 0, 0}, index)
	body = append(body, attribute(unix.IFA_ADDRESS, 192, 0, 2, address)...)
	body = append(body, attribute(unix.IFA_CACHEINFO, binary.NativeEndian.AppendUint32(make([]byte, 12), valid)...)...)
	m := binary.NativeEndian.AppendUint32(nil, uint32(unix.SizeofNlMsghdr+len(body)))
	m = binary.NativeEndian.AppendUint16(m, kind)
	return append(append(m, make([]byte, 10)...), body...)
}

func TestARenewedLeaseIsNoNews(t *testing.T) {
	const added, gone, link = unix.RTM_NEWADDR, unix.RTM_DELADDR, unix.RTM_NEWLINK
	for _, tt := range []struct {
		name     string
		before   [][]byte
		datagram []byte
		want     bool
	}{
		{name: "the first word of an address", datagram: told(added, 2, 50, 3), want: true},
		{name: "it is valid for longer", before: [][]byte{told(added, 2, 50, 3)}, datagram: told(added, 2, 50, 7)},
		{name: "the same on another interface", before: [][]byte{told(added, 2, 50, 3)}, datagram: told(added, 3, 50, 3), want: true},
		{name: "another address", before: [][]byte{told(added, 2, 50, 3)}, datagram: told(added, 2, 51, 3), want: true},
		{name: "it is gone", before: [][]byte{told(added, 2, 50, 3)}, datagram: told(gone, 2, 50, 3), want: true},
		{name: "it comes back", before: [][]byte{told(added, 2, 50, 3), told(gone, 2, 50, 0)}, datagram: told(added, 2, 50, 3), want: true},
		{name: "an interface has changed", before: [][]byte{told(added, 2, 50, 3)}, datagram: told(link, 2, 50, 3), want: true},
		{
			name: "a renewal, and another address in the same datagram", before: [][]byte{told(added, 2, 50, 3)},
			datagram: slices.Concat(told(added, 2, 50, 4), told(added, 2, 51, 4)), want: true,
		},
		{
			name: "two renewals in one", before: [][]byte{told(added, 2, 50, 3), told(added, 2, 51, 3)},
			datagram: slices.Concat(told(added, 2, 50, 4), told(added, 2, 51, 4)),
		},
		{name: "what nobody understands", datagram: []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17}, want: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var k known
			for _, datagram := range tt.before {
				k.news(datagram)
			}
			if got := k.news(tt.datagram); got != tt.want {
				t.Errorf("news: %v, want %v", got, tt.want)
			}
		})
	}
	var k known
	for i := range uint32(2 * knownMost) {
		if !k.news(told(added, i, 50, 3)) || len(k) > knownMost {
			t.Fatalf("interface %d: no news, or %d are known", i, len(k))
		}
	}
}

func FuzzKnown(f *testing.F) {
	f.Add(told(unix.RTM_NEWADDR, 2, 50, 3))
	f.Fuzz(func(t *testing.T, datagram []byte) {
		var k known
		k.news(datagram)
		k.news(datagram)
	})
}
