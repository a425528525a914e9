package wire

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"strings"
	"testing"
)

// bz2 of a message, level 9, since Go cannot write it: of
// ">>>\nt=status\nauth=3 ignored\n<<<\n\x00".
const bz2Status = "425a6839314159265359ac532b1c000007598040104000080726e19e002000314c98990646113469a6468c209242693206d260b726972ebc4d7b718a51f8bb9229c28485629958e0"

// bz2 of 2 MiB + 1 bytes of NUL, level 9.
const bz2Bomb = "425a68393141592653598c5c4ca60010106000c00000020008200030cc0529a604036208078bb9229c2848462e265300"

func TestDecodeOfCompressed(t *testing.T) {
	status := ">>>\nt=status\nauth=3 ignored\n<<<\n\x00"
	long := func(n int) string { return ">>>\nt=" + strings.Repeat("x", n-len(">>>\nt=\n<<<\n")) + "\n<<<\n" }
	nested := compressedFields("zlib", deflate(t, status))

	for _, tt := range []struct {
		name   string
		fields string
		want   string
	}{
		{name: "a classic form with a NUL, as 3.0.6 sends it", fields: compressedFields("zlib", deflate(t, status)), want: "t=status"},
		{name: "without the NUL", fields: compressedFields("zlib", deflate(t, ">>>\nt=x\n<<<\n")), want: "t=x"},
		{name: "a netstring form without tail", fields: compressedFields("zlib", deflate(t, "###\n6:(0)t=x,%%%\n")), want: "t=x"},
		{name: "with a NUL", fields: compressedFields("zlib", deflate(t, "###\n6:(0)t=x,%%%\n\x00")), want: "t=x"},
		{name: "binary values, in base64 twice", fields: compressedFields("zlib", deflate(t, ">>>\n(1)a=AP8=\n(1)b=Zm9v\n<<<\n")), want: "a=00ff b=666f6f"},
		{name: "bz2", fields: compressedFields("bz2", unhex(t, bz2Status)), want: "t=status"},

		{name: "2 MiB", fields: compressedFields("zlib", deflate(t, long(2<<20))), want: "t=" + strings.Repeat("x", 256) + "…+2096885"},
		{name: "one byte more", fields: compressedFields("zlib", deflate(t, long(2<<20+1))), want: "oversize: more than 2 MiB when decompressed"},
		{name: "64 MiB", fields: compressedFields("zlib", deflate(t, long(64<<20))), want: "oversize: more than 2 MiB when decompressed"},
		{name: "2 MiB and a byte of bz2", fields: compressedFields("bz2", unhex(t, bz2Bomb)), want: "oversize: more than 2 MiB when decompressed"},

		{name: "a message with a tail inside", fields: compressedFields("zlib", deflate(t, string(sealNetstring(t, "###\n%%%\n")))), want: "malformed: no %%% before the end"},
		{name: "garbage inside", fields: compressedFields("zlib", deflate(t, "garbage")), want: "malformed: begins with neither ### nor >>>"},
		{name: "nothing inside", fields: compressedFields("zlib", deflate(t, "")), want: "malformed: begins with neither ### nor >>>"},
		{name: "a bad field inside", fields: compressedFields("zlib", deflate(t, ">>>\nx\n<<<\n")), want: "malformed: bad name of a field"},
		{name: "too many fields inside", fields: compressedFields("zlib", deflate(t, ">>>\n"+strings.Repeat("a=1\n", 257)+"<<<\n")), want: "oversize: more than 256 fields"},
		{name: "compressed twice", fields: compressedFields("zlib", deflate(t, "###\n"+nested+"%%%\n")), want: "malformed: bad compressed message"},
		{name: "an unknown algorithm", fields: compressedFields("lzma", deflate(t, status)), want: "malformed: bad compressed message"},
		{name: "the other algorithm", fields: compressedFields("bz2", deflate(t, status)), want: "malformed: bad compressed message"},
		{name: "no bytes", fields: compressedFields("zlib", nil), want: "malformed: bad compressed message"},
		{name: "cut short", fields: compressedFields("zlib", deflate(t, status)[:20]), want: "malformed: bad compressed message"},
		{name: "something behind", fields: compressedFields("zlib", append(deflate(t, status), 0)), want: "malformed: bad compressed message"},
		{name: "no algorithm", fields: netstringField("(1)_compressed_payload=x"), want: "malformed: bad compressed message"},
		{name: "another field for the algorithm", fields: netstringField("(1)_compressed_payload=x") + "6:(0)a=1,", want: "malformed: bad compressed message"},
		{name: "a third field", fields: compressedFields("zlib", deflate(t, status)) + "6:(0)a=1,", want: "malformed: bad compressed message"},
		{name: "an algorithm alone is a field like others", fields: netstringField("(0)_compression_algorithm=zlib"), want: "_compression_algorithm=zlib"},
	} {
		checkDecode(t, tt.name, sealNetstring(t, "###\n"+tt.fields+"%%%\n"), tt.want)
	}
}

// What a message leaves behind in the codec does not reach the next one.
func TestDecodeOfCompressedAfterABadOne(t *testing.T) {
	codec := codecOf(t, 3, testKey)
	good := sealNetstring(t, "###\n"+compressedFields("zlib", deflate(t, ">>>\nt=status\n<<<\n"))+"%%%\n")
	for _, bad := range [][]byte{
		deflate(t, ">>>\nt=other\n<<<\n")[:15], deflate(t, strings.Repeat("x", 3<<20)), []byte("not zlib"), nil,
	} {
		var m Message
		if err := codec.Decode(sealNetstring(t, "###\n"+compressedFields("zlib", bad)+"%%%\n"), &m); err == nil {
			t.Errorf("accepted %.20q", bad)
		}
		if err := codec.Decode(good, &m); err != nil || m.String() != "t=status" {
			t.Errorf("after %.20q: got %v, %v", bad, m, err)
		}
	}
}

func deflate(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func compressedFields(algorithm string, payload []byte) string {
	return netstringField("(1)_compressed_payload="+string(payload)) +
		netstringField("(0)_compression_algorithm="+algorithm)
}

func netstringField(content string) string { return fmt.Sprintf("%d:%s,", len(content), content) }
