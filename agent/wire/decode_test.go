package wire

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

var testKey = Key{3, MD5, []byte("secret")}

// sealNetstring signs a text of any content as a tail does.
func sealNetstring(t testing.TB, text string) []byte {
	t.Helper()
	auth := codecOf(t, 3, testKey).appendAuth(nil, 3, []byte(text))
	return fmt.Appendf(nil, "%s%d:%s,", text, len(auth), auth)
}

// sealClassic signs lines of any content as an auth line does.
func sealClassic(t testing.TB, lines string) []byte {
	t.Helper()
	auth := codecOf(t, 3, testKey).appendAuth(nil, 3, []byte(lines))
	return fmt.Appendf(nil, ">>>\n%sauth=%s\n<<<\n", lines, auth)
}

func TestDecodeOfSignedNetstrings(t *testing.T) {
	for _, tt := range []struct {
		name   string
		fields string
		want   string // the message, or the error
	}{
		{name: "a string and a binary", fields: "8:(0)src=a,9:(1)id=\x00,\n,", want: `src=a id=002c0a`},
		{name: "no fields at all", fields: "", want: ""},
		{name: "an empty value", fields: "8:(0)info=,", want: "info="},
		{name: "a string may hold anything", fields: "15:(0)v=%%%\n,\x00=1:2,", want: `v="%%%\n,\x00=1:2"`},
		{name: "the value goes on behind a second equal sign", fields: "8:(0)a=b=c,", want: `a="b=c"`},
		{name: "a name may repeat", fields: "6:(0)a=1,6:(0)a=2,", want: "a=1 a=2"},
		{name: "nested messages stay the bytes they are", fields: "21:(2)m=###\n5:(0)a=,%%%\n,", want: "m=2323230a353a283029613d2c2525250a"},
		{name: "a list, likewise", fields: "13:(3)l=1:a,1:b,,", want: "l=313a612c313a622c"},
		{name: "auth fields are dropped, however many", fields: "11:(0)auth=3 x,6:(0)a=1,8:(1)auth=,", want: "a=1"},

		{name: "LEN one too small", fields: "7:(0)src=a,", want: "malformed: bad length of a field"},
		{name: "LEN one too large", fields: "9:(0)src=a,", want: "malformed: bad length of a field"},
		{name: "LEN up to the end of the packet", fields: "12:(0)src=a,", want: "malformed: bad length of a field"},
		{name: "LEN of 2^64", fields: "18446744073709551616:(0)src=a,", want: "malformed: bad length of a field"},
		{name: "LEN of 2^64 - 1", fields: "18446744073709551615:(0)src=a,", want: "malformed: bad length of a field"},
		{name: "LEN of 2^31", fields: "2147483648:(0)src=a,", want: "malformed: bad length of a field"},
		{name: "a thousand digits", fields: strings.Repeat("9", 1000) + ":(0)src=a,", want: "malformed: bad length of a field"},
		{name: "a negative LEN", fields: "-8:(0)src=a,", want: "malformed: bad length of a field"},
		{name: "LEN with a leading zero", fields: "08:(0)src=a,", want: "malformed: bad length of a field"},
		{name: "LEN in hexadecimal", fields: "a:(0)src=abc,", want: "malformed: bad length of a field"},
		{name: "no LEN", fields: ":(0)src=a,", want: "malformed: bad length of a field"},
		{name: "no colon", fields: "8(0)src=a,", want: "malformed: bad length of a field"},
		{name: "no comma", fields: "8:(0)src=a", want: "malformed: bad length of a field"},
		{name: "something else for the comma", fields: "8:(0)src=a;", want: "malformed: bad length of a field"},
		{name: "something between two fields", fields: "6:(0)a=1,\n6:(0)a=2,", want: "malformed: bad length of a field"},
		{name: "a second end within", fields: "6:(0)a=1,%%%\n", want: "malformed: bad length of a field"},
		{name: "LEN 0", fields: "0:,", want: "malformed: bad type of a field"},
		{name: "LEN for half a type", fields: "2:(0,", want: "malformed: bad type of a field"},
		{name: "no parentheses", fields: "5:src=a,", want: "malformed: bad type of a field"},
		{name: "only the first", fields: "7:(0src=a,", want: "malformed: bad type of a field"},
		{name: "type 5, which never travels", fields: "8:(5)src=a,", want: "malformed: bad type of a field"},
		{name: "a type that is no digit", fields: "8:(/)src=a,", want: "malformed: bad type of a field"},
		{name: "a type of two digits", fields: "9:(10)src=a,", want: "malformed: bad type of a field"},
		{name: "no equal sign", fields: "7:(0)srca,", want: "malformed: bad name of a field"},
		{name: "no name", fields: "5:(0)=a,", want: "malformed: bad name of a field"},
		{name: "nothing behind the type", fields: "3:(0),", want: "malformed: bad name of a field"},
		{name: "a name that is two lines", fields: "11:(0)a\nb=1234,", want: "malformed: bad name of a field"},
		{name: "a name with a NUL", fields: "7:(0)a\x00=1,", want: "malformed: bad name of a field"},
		{name: "a name that is a type in classic form", fields: "9:(0)(1)a=b,", want: "malformed: bad name of a field"},
		{name: "a name that is the end in classic form", fields: "9:(0)<<<x=b,", want: "malformed: bad name of a field"},
		{name: "256 fields", fields: strings.Repeat("6:(0)a=1,", 256), want: strings.TrimSpace(strings.Repeat("a=1 ", 256))},
		{name: "one more", fields: strings.Repeat("6:(0)a=1,", 257), want: "oversize: more than 256 fields"},
	} {
		checkDecode(t, tt.name, sealNetstring(t, "###\n"+tt.fields+"%%%\n"), tt.want)
	}
}

func TestDecodeOfSignedLines(t *testing.T) {
	for _, tt := range []struct {
		name  string
		lines string
		want  string
	}{
		{name: "a string and a binary", lines: "src=a\n(1)id=AP8=\n", want: "src=a id=00ff"},
		{name: "no lines at all", lines: "", want: ""},
		{name: "empty values", lines: "info=\n(1)b=\n", want: "info= b="},
		{name: "anything printable is a value", lines: "v=>>> <<< (1)x=y\n", want: `v=">>> <<< (1)x=y"`},
		{name: "other types are base64 too", lines: "(2)m=Zm9v\n(3)l=Zm9v\n(4)c=Zm9v\n", want: "m=666f6f l=666f6f c=666f6f"},
		{name: "a name may repeat", lines: "a=1\na=2\n", want: "a=1 a=2"},

		{name: "a type for strings, which 3.0.6 never writes", lines: "(0)a=b\n", want: "malformed: bad type of a field"},
		{name: "type 5, which never travels", lines: "(5)a=Zm9v\n", want: "malformed: bad type of a field"},
		{name: "a type that is no digit", lines: "(x)a=b\n", want: "malformed: bad type of a field"},
		{name: "half a type", lines: "(1a=b\n", want: "malformed: bad name of a field"},
		{name: "two types", lines: "(1)(1)a=Zm9v\n", want: "malformed: bad name of a field"},
		{name: "no equal sign", lines: "src\n", want: "malformed: bad name of a field"},
		{name: "an empty line", lines: "\n", want: "malformed: bad name of a field"},
		{name: "no name", lines: "=a\n", want: "malformed: bad name of a field"},
		{name: "a message within", lines: ">>>\na=b\n<<<\n", want: "malformed: bad name of a field"},
		{name: "a line that would end the message on a serial line", lines: "<<<x=y\n", want: "malformed: bad name of a field"},
		{name: "a NUL in a value", lines: "a=b\x00c\n", want: "malformed: bad value of a field"},
		{name: "a carriage return", lines: "a=b\r\n", want: "malformed: bad value of a field"},
		{name: "base64 without padding", lines: "(1)a=Zg\n", want: "malformed: bad value of a field"},
		{name: "base64 with a bit left over", lines: "(1)a=Zh==\n", want: "malformed: bad value of a field"},
		{name: "base64 with a carriage return, which Go's decoder would skip", lines: "(1)a=Zm\r9v\n", want: "malformed: bad value of a field"},
		{name: "base64 with a letter of another alphabet", lines: "(1)a=Zm-v\n", want: "malformed: bad value of a field"},
		{name: "256 fields", lines: strings.Repeat("a=1\n", 256), want: strings.TrimSpace(strings.Repeat("a=1 ", 256))},
		{name: "one more", lines: strings.Repeat("a=1\n", 257), want: "oversize: more than 256 fields"},
	} {
		checkDecode(t, tt.name, sealClassic(t, tt.lines), tt.want)
		checkDecode(t, tt.name+", and a NUL", append(sealClassic(t, tt.lines), 0), tt.want)
	}
}

func TestDecodeOfUnsigned(t *testing.T) {
	sealed := string(sealNetstring(t, "###\n6:(0)a=1,%%%\n"))
	body, tail, _ := strings.Cut(sealed, "34:")
	digest := strings.TrimSuffix(tail[2:], ",")
	lines := string(sealClassic(t, "a=1\n"))
	fill := func(n int) string { return "###\n" + strings.Repeat("x", n-4) }

	for _, tt := range []struct {
		name   string
		packet string
		want   string
	}{
		{name: "nothing", packet: "", want: "malformed: begins with neither ### nor >>>"},
		{name: "garbage", packet: "GET / HTTP/1.1\r\n", want: "malformed: begins with neither ### nor >>>"},
		{name: "something before the start", packet: " " + sealed, want: "malformed: begins with neither ### nor >>>"},
		{name: "a start only", packet: "###\n", want: "malformed: no %%% before the end"},
		{name: "a start that is the end of nothing", packet: ">>>\n", want: "malformed: does not end with <<<"},
		{name: "the longest packet", packet: fill(256*1024 - 1), want: "malformed: no %%% before the end"},
		{name: "one byte longer", packet: fill(256 * 1024), want: "oversize: packet longer than 262143 bytes"},

		{name: "signed", packet: sealed, want: "a=1"},
		{name: "no tail", packet: body, want: "malformed: bad tail after %%%"},
		{name: "the tail of a message inside a compressed one", packet: body + "\x00", want: "malformed: bad tail after %%%"},
		{name: "a NUL behind the tail", packet: sealed + "\x00", want: "malformed: bad tail after %%%"},
		{name: "a tail with a wrong length", packet: body + "35:3 " + digest + ",", want: "malformed: bad tail after %%%"},
		{name: "a huge length", packet: body + "99999999999999999999:3 " + digest + ",", want: "malformed: bad tail after %%%"},
		{name: "a tail far from the end", packet: sealed + strings.Repeat("x", 200), want: "malformed: no %%% before the end"},
		{name: "an empty tail", packet: body + "0:,", want: "malformed: authentication is not a number and a digest"},
		{name: "a tail without digest", packet: body + "2:3 ,", want: "malformed: authentication is not a number and a digest"},
		{name: "a tail without blank", packet: body + "33:3" + digest + ",", want: "malformed: authentication is not a number and a digest"},
		{name: "a key number with a sign", packet: body + "35:+3 " + digest + ",", want: "malformed: authentication is not a number and a digest"},
		{name: "a key number with a leading zero", packet: body + "35:03 " + digest + ",", want: "malformed: authentication is not a number and a digest"},
		{name: "a key number that is not ours", packet: body + "34:7 " + digest + ",", want: "unknown_key: key number not in authkeys"},
		{name: "a key number that is nobody's", packet: body + "35:16 " + digest + ",", want: "unknown_key: key number not in authkeys"},
		{name: "a key number of nine digits", packet: body + "42:999999999 " + digest + ",", want: "unknown_key: key number not in authkeys"},
		{name: "a digest in capitals", packet: body + "34:3 " + strings.ToUpper(digest) + ",", want: "bad_signature: digest does not match"},
		{name: "a digest cut short", packet: body + "33:3 " + digest[:31] + ",", want: "bad_signature: digest does not match"},
		{name: "a digest with a digit more", packet: body + "35:3 " + digest + "0,", want: "bad_signature: digest does not match"},
		{name: "two blanks", packet: body + "35:3  " + digest + ",", want: "bad_signature: digest does not match"},
		{name: "another message under the same digest", packet: strings.Replace(sealed, "a=1", "a=2", 1), want: "bad_signature: digest does not match"},
		{name: "an auth field inside, right, does for no tail", packet: "###\n6:(0)a=1,42:(0)auth=" + authOf(lines) + ",%%%\n34:3 " + digest + ",",
			want: "bad_signature: digest does not match"},

		{name: "classic, signed", packet: lines, want: "a=1"},
		{name: "the auth line may come first", packet: ">>>\nauth=" + authOf(lines) + "\na=1\n<<<\n", want: "a=1"},
		{name: "a second auth line is covered by the first", packet: strings.Replace(lines, "<<<", "auth=3 x\n<<<", 1), want: "bad_signature: digest does not match"},
		{name: "a line added behind", packet: strings.Replace(lines, "<<<", "b=2\n<<<", 1), want: "bad_signature: digest does not match"},
		{name: "no auth line", packet: ">>>\na=1\n<<<\n", want: "malformed: no auth line"},
		{name: "auth in the middle of a line", packet: ">>>\na=auth=3 x\n<<<\n", want: "malformed: no auth line"},
		{name: "a binary auth", packet: ">>>\na=1\n(1)auth=MyB4\n<<<\n", want: "malformed: no auth line"},
		{name: "an empty auth line", packet: ">>>\na=1\nauth=\n<<<\n", want: "malformed: authentication is not a number and a digest"},
		{name: "no newline before the end", packet: ">>>\na=1<<<\n", want: "malformed: does not end with <<<"},
		{name: "no newline behind the end", packet: strings.TrimSuffix(lines, "\n"), want: "malformed: does not end with <<<"},
		{name: "two NULs behind the end", packet: lines + "\x00\x00", want: "malformed: does not end with <<<"},
		{name: "start and end share their bytes", packet: ">>>\n<<<", want: "malformed: does not end with <<<"},
		{name: "classic with a tail of the netstring form", packet: lines + "34:3 " + digest + ",", want: "malformed: does not end with <<<"},
	} {
		checkDecode(t, tt.name, []byte(tt.packet), tt.want)
	}
}

// The digest of either form must not serve for the other.
func TestDigestsOfTheTwoFormsCannotBeExchanged(t *testing.T) {
	netstring := "###\n6:(0)a=1,%%%\n"
	_, tail, _ := strings.Cut(string(sealNetstring(t, netstring)), "34:")
	checkDecode(t, "the text of a netstring as lines",
		[]byte(">>>\n"+netstring+"auth="+strings.TrimSuffix(tail, ",")+"\n<<<\n"),
		"malformed: bad name of a field")
}

func checkDecode(t *testing.T, name string, packet []byte, want string) {
	t.Helper()
	m := New("left", "over")
	before := bytes.Clone(packet)
	err := codecOf(t, 3, testKey).Decode(packet, &m)
	got := m.String()
	if err != nil {
		if len(m.Fields) != 0 {
			t.Errorf("%s: refused, but left %v", name, m)
		}
		got = err.Error()
	}
	if got != want {
		t.Errorf("%s: Decode(%.80q)\n got %s\nwant %s", name, packet, got, want)
	}
	if !bytes.Equal(packet, before) {
		t.Errorf("%s: the packet was written to", name)
	}
}

// authOf returns the content of the auth line.
func authOf(classic string) string {
	_, auth, _ := strings.Cut(classic, "\nauth=")
	auth, _, _ = strings.Cut(auth, "\n")
	return auth
}

func unbase64(t testing.TB, text string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
