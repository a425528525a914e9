package wire

import "testing"

func TestDigests(t *testing.T) {
	for _, tt := range []struct {
		name         string
		method       Method
		secret, text string
		want         string
	}{
		{name: "RFC 2202 case 2 for MD5", method: MD5, secret: "Jefe", text: "what do ya want for nothing?",
			want: "750c783e6ab0b503eaa86e310a5db738"},
		{name: "RFC 2202 case 2 for SHA-1", method: SHA1, secret: "Jefe", text: "what do ya want for nothing?",
			want: "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"},
		{name: "RFC 4231 case 2 for SHA-256", method: SHA256, secret: "Jefe", text: "what do ya want for nothing?",
			want: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
		{name: "RFC 4231 case 2 for SHA-512", method: SHA512, secret: "Jefe", text: "what do ya want for nothing?",
			want: "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554" +
				"9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"},
		{name: "the check value of CRC-32/CKSUM, whose length field is the caller's", method: CRC, text: "123456789",
			want: "765e7680"},
		{name: "crc of nothing is the complement of 0", method: CRC, text: "", want: "ffffffff"},
		{name: "leading zeros of crc are not written", method: CRC, text: "\x81\x64\x74\x3a", want: "ff"},
		{name: "but for the last one", method: CRC, text: "\x46\xaf\x64\x49", want: "0"},
	} {
		d := newDigester(tt.method, []byte(tt.secret))
		for i := range len(tt.text) + 1 { // the same wherever the text is split, and after each Reset
			got := d.append([]byte("so far "), []byte(tt.text[:i]), []byte(tt.text[i:]))
			if want := "so far " + tt.want; string(got) != want {
				t.Errorf("%s, split at %d:\n got %s\nwant %s", tt.name, i, got, want)
			}
		}
	}
}
