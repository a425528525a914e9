package wire

import (
	"bytes"
	"strings"
	"testing"
)

func TestAppendInEachForm(t *testing.T) {
	m := New("t", "status", "auth", "left out", "info", "")
	m.SetBinary("srcuuid", []byte{0, ',', '\n'})
	for _, tt := range []struct {
		name   string
		format Format
		want   string // with HMAC-MD5 left to the digest tests
	}{
		{name: "netstring", format: Netstring,
			want: "before###\n11:(0)t=status,8:(0)info=,14:(1)srcuuid=\x00,\n,%%%\n34:3 DIGEST,"},
		{name: "netstring with auth inside", format: NetstringAuth,
			want: "before###\n11:(0)t=status,8:(0)info=,14:(1)srcuuid=\x00,\n,42:(0)auth=3 DIGEST,%%%\n34:3 DIGEST,"},
		{name: "classic", format: Classic,
			want: "before>>>\nt=status\ninfo=\n(1)srcuuid=ACwK\nauth=3 DIGEST\n<<<\n"},
	} {
		got := string(codecOf(t, 3, testKey).Append([]byte("before"), &m, tt.format))
		want := tt.want
		for strings.Contains(want, "DIGEST") && len(got) > strings.Index(want, "DIGEST")+32 {
			at := strings.Index(want, "DIGEST")
			want = want[:at] + got[at:at+32] + want[at+len("DIGEST"):]
		}
		if got != want {
			t.Errorf("%s:\n got %q\nwant %q", tt.name, got, want)
		}
	}
}

// The digest of a classic form covers text without quoting. Whatever a value
// holds, the message that arrives is the one that was sent.
func TestNoValueAddsALine(t *testing.T) {
	for _, value := range []string{
		"x\nt=shutdone", "x\n", "\n", "x\n<<<\n", "x\n<<<\n>>>\nt=shutdone", "x\r\nt=shutdone", "x\rt=shutdone",
		"x\x00", "\x00\nt=shutdone", "x\nauth=3 0123456789abcdef0123456789abcdef", "x\n(1)y=Zm9v", "\n\n\n",
	} {
		sent := New("t", "status", "info", value, "src", "h1")
		codec := codecOf(t, 3, testKey)
		packet := codec.Append(nil, &sent, Classic)
		if got, want := bytes.Count(packet, []byte("\n")), 6; got != want {
			t.Errorf("%q: got %d lines, want %d: %q", value, got, want, packet)
		}
		if bytes.ContainsAny(packet, "\r\x00") {
			t.Errorf("%q: a byte that a serial line changes is in %q", value, packet)
		}

		want := sent.Clone()
		want.SetBinary("info", []byte(value))
		var got Message
		if err := codec.Decode(packet, &got); err != nil || !equal(got, want) {
			t.Errorf("%q:\n got %v, %v\nwant %v", value, got, err, want)
		}

		// The auth field of the netstring form is a digest of the same text: it
		// must not sign lines for whoever reads it there.
		inner := codec.Append(nil, &sent, NetstringAuth)
		if _, auth, _ := bytes.Cut(inner, []byte("(0)auth=")); !bytes.HasPrefix(auth, []byte(authOf(string(packet))+",")) {
			t.Errorf("%q: the auth field inside differs from the auth line: %q", value, inner)
		}
	}
}

func TestValuesThatLookLikeSyntaxStayStrings(t *testing.T) {
	for _, value := range []string{"", "=", "a=b", ">>>", "<<<", "(1)x", "auth=3 x", "%%%", "###", "1:x,", " ", "\t", "é", "\xff"} {
		sent := New("t", value, "src", value)
		codec := codecOf(t, 3, testKey)
		for _, f := range []Format{Netstring, NetstringAuth, Classic} {
			var got Message
			if err := codec.Decode(codec.Append(nil, &sent, f), &got); err != nil || !equal(got, sent) {
				t.Errorf("%q in form %d: got %v, %v", value, f, got, err)
			}
		}
	}
}

func TestAppendPanicsOnWhatHasNoEncoding(t *testing.T) {
	for _, tt := range []struct {
		name  string
		field Field
	}{
		{name: "no name", field: Field{Name: nil}},
		{name: "an equal sign", field: Field{Name: []byte("a=b")}},
		{name: "a newline", field: Field{Name: []byte("a\nt")}},
		{name: "a carriage return", field: Field{Name: []byte("a\r")}},
		{name: "a NUL", field: Field{Name: []byte("a\x00")}},
		{name: "a type", field: Field{Name: []byte("(1)a")}},
		{name: "the end of a message", field: Field{Name: []byte("<<<")}},
		{name: "the start of one", field: Field{Name: []byte(">>>")}},
		{name: "type 5", field: Field{Name: []byte("a"), Type: 5}},
	} {
		for _, f := range []Format{Netstring, NetstringAuth, Classic} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%s: written in form %d", tt.name, f)
					}
				}()
				codecOf(t, 3, testKey).Append(nil, &Message{Fields: []Field{tt.field}}, f)
			}()
		}
	}
}

func TestEveryMethodInEveryForm(t *testing.T) {
	for _, key := range []Key{
		{0, CRC, nil}, {1, MD5, []byte("k")}, {9, SHA1, []byte("k")}, {10, SHA256, []byte("k")},
		{15, SHA512, bytes.Repeat([]byte("longer than a block"), 20)},
	} {
		codec := codecOf(t, key.Number, key)
		sent := first(t, "md5_repnodes")
		for _, f := range []Format{Netstring, NetstringAuth, Classic} {
			packet := codec.Append(nil, &sent, f)
			var got Message
			if err := codec.Decode(packet, &got); err != nil || !equal(got, sent) {
				t.Errorf("%s in form %d: %v\n got %v\nwant %v", key, f, err, got, sent)
			}
			packet[20] ^= 1
			if err := codec.Decode(packet, &got); reason(err) != BadSignature {
				t.Errorf("%s in form %d: a changed packet gives %v, want %s", key, f, err, BadSignature)
			}
		}
	}
}
