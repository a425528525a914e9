package wire

import (
	"strings"
	"testing"
)

// The path of every heartbeat, with hash states and buffers warm.
func TestNoAllocationPerMessage(t *testing.T) {
	for _, key := range []Key{
		{1, CRC, nil}, {3, MD5, []byte("secret")}, {2, SHA1, []byte("secret")},
		{4, SHA256, []byte("secret")}, {5, SHA512, []byte("secret")},
	} {
		for _, f := range []Format{Netstring, NetstringAuth, Classic} {
			codec, m := codecOf(t, key.Number, key), first(t, "md5_status_active")
			packet := codec.Append(nil, &m, f)
			buffer := make([]byte, 0, len(packet))
			wantNone(t, key.String()+" Append", func() { buffer = codec.Append(buffer[:0], &m, f) })

			var into Message
			wantNone(t, key.String()+" Decode", func() {
				if err := codec.Decode(packet, &into); err != nil {
					t.Fatal(err)
				}
				hg, isHex := into.Hex("hg")
				ttl, isDecimal := into.Decimal("ttl")
				if !isHex || !isDecimal || hg == 0 || ttl != 3 || string(into.Get("t")) != "status" {
					t.Fatalf("decoded %v", into)
				}
			})
		}
	}
}

// A flood must not become work for the garbage collector.
func TestNoAllocationPerRefusal(t *testing.T) {
	ring := []Key{testKey, {2, SHA1, []byte("another")}}
	m := first(t, "md5_status_active")
	forged := codecOf(t, 2, Key{2, SHA1, []byte("wrong")})
	unknown := codecOf(t, 7, Key{7, MD5, []byte("secret")})
	for _, tt := range []struct {
		name   string
		packet []byte
		want   Reason
	}{
		{name: "garbage", packet: []byte(strings.Repeat("garbage", 40)), want: Malformed},
		{name: "garbage with a start", packet: []byte("###\n" + strings.Repeat("garbage", 40)), want: Malformed},
		{name: "forged", packet: forged.Append(nil, &m, Netstring), want: BadSignature},
		{name: "forged, classic", packet: forged.Append(nil, &m, Classic), want: BadSignature},
		{name: "unknown key", packet: unknown.Append(nil, &m, Netstring), want: UnknownKey},
		{name: "too long", packet: make([]byte, MaxPacket+1), want: Oversize},
		{name: "signed nonsense", packet: sealNetstring(t, "###\n5:(0)a,%%%\n"), want: Malformed},
		{name: "too many fields", packet: sealNetstring(t, "###\n"+strings.Repeat("6:(0)a=1,", 300)+"%%%\n"), want: Oversize},
	} {
		codec, into := codecOf(t, 3, ring...), Message{}
		var err error
		wantNone(t, tt.name, func() { err = codec.Decode(tt.packet, &into) })
		if reason(err) != tt.want {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
}

func wantNone(t *testing.T, name string, f func()) {
	t.Helper()
	f() // the first call makes the room that later ones use
	if got := testing.AllocsPerRun(200, f); got != 0 {
		t.Errorf("%s allocates %v times", name, got)
	}
}
