package wire

import (
	"strings"
	"testing"
)

var benchKeys = []Key{
	{1, CRC, nil}, {3, MD5, []byte("mot_de_passe")}, {2, SHA1, []byte("cle-secrete-2")},
	{4, SHA256, []byte("secret")}, {5, SHA512, []byte("secret")},
}

// A status of about 300 bytes, as 3.0.6 sends it.
func BenchmarkDecode(b *testing.B) {
	for _, key := range benchKeys {
		b.Run(string(key.Method), func(b *testing.B) {
			codec, m := codecOf(b, key.Number, key), first(b, "md5_status_active")
			benchDecode(b, codec, codec.Append(nil, &m, NetstringAuth), "")
		})
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, key := range benchKeys {
		b.Run(string(key.Method), func(b *testing.B) {
			codec, m := codecOf(b, key.Number, key), first(b, "md5_status_active")
			packet := codec.Append(nil, &m, Netstring)
			b.SetBytes(int64(len(packet)))
			b.ReportAllocs()
			for b.Loop() {
				packet = codec.Append(packet[:0], &m, Netstring)
			}
		})
	}
}

// What a flood of bad datagrams costs, each.
func BenchmarkRefuse(b *testing.B) {
	m := first(b, "md5_status_active")
	ring := []Key{{3, MD5, []byte("right")}, {2, SHA1, []byte("also right")}}
	codec := codecOf(b, 3, ring...)
	b.Run("forged", func(b *testing.B) {
		benchDecode(b, codec, codecOf(b, 3, Key{3, MD5, []byte("wrong")}).Append(nil, &m, NetstringAuth), BadSignature)
	})
	b.Run("forged with two secrets to try", func(b *testing.B) {
		benchDecode(b, codec, codecOf(b, 2, Key{2, SHA1, []byte("wrong")}).Append(nil, &m, NetstringAuth), BadSignature)
	})
	b.Run("forged classic", func(b *testing.B) {
		benchDecode(b, codec, codecOf(b, 3, Key{3, MD5, []byte("wrong")}).Append(nil, &m, Classic), BadSignature)
	})
	b.Run("unknown key", func(b *testing.B) {
		benchDecode(b, codec, codecOf(b, 7, Key{7, MD5, []byte("wrong")}).Append(nil, &m, NetstringAuth), UnknownKey)
	})
	b.Run("garbage", func(b *testing.B) {
		benchDecode(b, codec, []byte(strings.Repeat("garbage", 43)), Malformed)
	})
	b.Run("garbage with a start", func(b *testing.B) {
		benchDecode(b, codec, []byte("###\n"+strings.Repeat("garbage", 43)), Malformed)
	})
	b.Run("forged, the longest datagram", func(b *testing.B) {
		long := New("t", strings.Repeat("x", 65000))
		benchDecode(b, codec, codecOf(b, 3, Key{3, MD5, []byte("wrong")}).Append(nil, &long, Netstring), BadSignature)
	})
}

func benchDecode(b *testing.B, codec *Codec, packet []byte, want Reason) {
	var into Message
	b.SetBytes(int64(len(packet)))
	b.ReportAllocs()
	for b.Loop() {
		if err := codec.Decode(packet, &into); reason(err) != want {
			b.Fatalf("got %v, want %q", err, want)
		}
	}
}
