package wire

import (
	"bytes"
	"strings"
	"testing"
)

func TestNewKeepsTheOrder(t *testing.T) {
	m := New("t", "status", "st", "up", "dt", "1388")
	if got, want := m.String(), "t=status st=up dt=1388"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestNewPanicsOnANameWithoutValue(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("New took three strings")
		}
	}()
	New(strings.Fields("t status st")...)
}

func TestAbsentIsNilAndEmptyIsNot(t *testing.T) {
	m := New("info", "")
	m.SetBinary("b", nil)
	for _, m := range []Message{m, m.Clone()} {
		if m.Get("info") == nil || m.Get("b") == nil || !m.Has("info") {
			t.Errorf("an empty value reads as absent in %v", m)
		}
		if m.Get("inf") != nil || m.Has("info2") {
			t.Errorf("a field that is not there was found in %v", m)
		}
	}
}

func TestFirstOccurrenceCounts(t *testing.T) {
	m := New("n", "1", "t", "x", "n", "2")
	if got := string(m.Get("n")); got != "1" {
		t.Errorf("Get: got %s, want the first, 1", got)
	}
	m.Set("n", "3")
	if got, want := m.String(), "n=3 t=x n=2"; got != want {
		t.Errorf("after Set: got %s, want %s", got, want)
	}
	m.Delete("n")
	m.Delete("absent")
	if got, want := m.String(), "t=x n=2"; got != want {
		t.Errorf("after Delete: got %s, want %s", got, want)
	}
}

func TestSetReplacesTheTypeToo(t *testing.T) {
	m := New("id", "h1", "t", "x")
	m.SetBinary("id", []byte{0xca, 0xfe})
	m.Set("new", "last")
	if got, want := m.String(), "id=cafe t=x new=last"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	m.Set("id", "h2")
	if got, want := m.String(), "id=h2 t=x new=last"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSetLeavesTheDecodedPacketAlone(t *testing.T) {
	codec := codecOf(t, 3, Key{3, MD5, []byte("secret")})
	sent := New("t", "status", "ttl", "3", "x", "end")
	packet := codec.Append(nil, &sent, Netstring)
	before := bytes.Clone(packet)

	var m Message
	if err := codec.Decode(packet, &m); err != nil {
		t.Fatal(err)
	}
	m.Set("ttl", "2")
	for i := range m.Fields { // values end where the packet goes on
		_ = append(m.Fields[i].Value, "overwritten"...)
		_ = append(m.Fields[i].Name, "overwritten"...)
	}
	if !bytes.Equal(packet, before) {
		t.Errorf("the packet became %q", packet)
	}
}

func TestCloneOutlivesThePacket(t *testing.T) {
	codec := codecOf(t, 3, Key{3, MD5, []byte("secret")})
	sent := New("t", "status", "src", "h1")
	sent.SetBinary("srcuuid", []byte("0123456789abcdef"))
	for _, f := range []Format{Netstring, Classic} {
		packet := codec.Append(nil, &sent, f)
		var m Message
		if err := codec.Decode(packet, &m); err != nil {
			t.Fatal(err)
		}
		kept := m.Clone()
		clear(packet)
		other := New("u", "nothing", "zzz", "aa")
		other.SetBinary("srcuuid", []byte("----------------"))
		if err := codec.Decode(codec.Append(nil, &other, f), &m); err != nil {
			t.Fatal(err)
		}
		if !equal(kept, sent) {
			t.Errorf("the clone became\n%v, want\n%v", kept, sent)
		}
	}
}

func TestResetKeepsTheRoom(t *testing.T) {
	m := New("a", "1", "b", "2")
	m.Reset()
	if len(m.Fields) != 0 || cap(m.Fields) != 2 {
		t.Errorf("%d fields and room for %d, want 0 and 2", len(m.Fields), cap(m.Fields))
	}
}

func TestNumbers(t *testing.T) {
	for _, tt := range []struct {
		name         string
		value        string
		hex, decimal uint64
		isHex, isDec bool
	}{
		{name: "digits mean different things", value: "10", hex: 16, isHex: true, decimal: 10, isDec: true},
		{name: "letters are hexadecimal only", value: "6b01ffe4", hex: 0x6b01ffe4, isHex: true},
		{name: "capitals are read", value: "FfAa", hex: 0xffaa, isHex: true},
		{name: "zero is a number", value: "0", isHex: true, isDec: true},
		{name: "leading zeros are read", value: "007", hex: 7, isHex: true, decimal: 7, isDec: true},
		{name: "the largest that fits", value: "ffffffffffffffff", hex: 1<<64 - 1, isHex: true},
		{name: "one more does not", value: "10000000000000000", decimal: 10000000000000000, isDec: true},
		{name: "the largest decimal", value: "18446744073709551615", decimal: 1<<64 - 1, isDec: true},
		{name: "one more does not", value: "18446744073709551616"},
		{name: "no digits are no number", value: ""},
		{name: "no prefix", value: "0x10"},
		{name: "no sign", value: "-1"},
		{name: "no blank", value: "1 "},
		{name: "no letter behind f", value: "1g"},
		{name: "no byte below the digits", value: "1\x10"},
	} {
		m := New("n", tt.value)
		if got, ok := m.Hex("n"); got != tt.hex || ok != tt.isHex {
			t.Errorf("%s: Hex(%q)\n got %d %v\nwant %d %v", tt.name, tt.value, got, ok, tt.hex, tt.isHex)
		}
		if got, ok := m.Decimal("n"); got != tt.decimal || ok != tt.isDec {
			t.Errorf("%s: Decimal(%q)\n got %d %v\nwant %d %v", tt.name, tt.value, got, ok, tt.decimal, tt.isDec)
		}
		if _, ok := m.Hex("absent"); ok {
			t.Errorf("%s: Hex of an absent field is a number", tt.name)
		}
	}
}

func TestString(t *testing.T) {
	long := New("v", strings.Repeat("x", 300))
	long.SetBinary("b", make([]byte, 65))
	for _, tt := range []struct {
		name string
		m    Message
		want string
	}{
		{name: "nothing is nothing", want: ""},
		{name: "blanks, quotes and what is not printable are quoted",
			m:    New("ld", "4.32 1.31", "q", `a"b\`, "n", "two\nlines", "é", "ü", "e", "a=b"),
			want: `ld="4.32 1.31" q="a\"b\\" n="two\nlines" "\u00e9"="\u00fc" e="a=b"`},
		{name: "an empty value stays empty", m: New("info", "", "t", "x"), want: "info= t=x"},
		{name: "authentication is never shown", m: New("t", "x", "auth", "3 abc", "src", "h1"), want: "t=x src=h1"},
		{name: "long values are cut and counted", m: long,
			want: "v=" + strings.Repeat("x", 256) + "…+44 b=" + strings.Repeat("00", 64) + "…+1"},
		{name: "a captured message is one line",
			m: first(t, "md5_NS_ackmsg"),
			want: "t=NS_ackmsg dest=h1 ackseq=5 destuuid=3c6f42072b32462cb7d290ee57131b7f src=h1 " +
				"srcuuid=3c6f42072b32462cb7d290ee57131b7f hg=6b01ffe4 ts=6b02009b ttl=3"},
	} {
		if got := tt.m.String(); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

// first decodes the vector of that name.
func first(t testing.TB, name string) Message {
	t.Helper()
	for _, v := range vectors(t) {
		if v.Name == name {
			var m Message
			if err := v.codec(t).Decode(v.packet(t), &m); err != nil {
				t.Fatal(err)
			}
			return m.Clone()
		}
	}
	t.Fatalf("no vector %s", name)
	return Message{}
}
