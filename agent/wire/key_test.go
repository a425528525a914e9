package wire

import (
	"fmt"
	"strings"
	"testing"
)

func TestNewKeyringRefuses(t *testing.T) {
	md5 := func(n int) Key { return Key{n, MD5, []byte("x")} }
	for _, tt := range []struct {
		name string
		send int
		keys []Key
		want string
	}{
		{name: "no keys", want: "key 0: to be sent with, but not given"},
		{name: "a number below 0", send: -1, keys: []Key{md5(-1)}, want: "key -1: number not in 0 to 15"},
		{name: "a number above 15", send: 16, keys: []Key{md5(16)}, want: "key 16: number not in 0 to 15"},
		{name: "a number twice", send: 1, keys: []Key{md5(1), md5(1)}, want: "key 1: given twice"},
		{name: "an unknown method", send: 1, keys: []Key{{1, "sha384", []byte("x")}}, want: `key 1: unknown method "sha384"`},
		{name: "a method in capitals", send: 1, keys: []Key{{1, "MD5", []byte("x")}}, want: `key 1: unknown method "MD5"`},
		{name: "crc with a secret", send: 1, keys: []Key{{1, CRC, []byte("x")}}, want: "key 1: crc takes no secret"},
		{name: "sha512 without one", send: 1, keys: []Key{{1, SHA512, nil}}, want: "key 1: sha512 needs a secret"},
		{name: "a sending key that is not given", send: 2, keys: []Key{md5(1)}, want: "key 2: to be sent with, but not given"},
	} {
		_, err := NewKeyring(tt.send, tt.keys)
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s:\n got %v\nwant %s", tt.name, err, tt.want)
		}
	}
}

func TestNewKeyringTakesEveryNumberAndMethod(t *testing.T) {
	var keys []Key
	for n := range 16 {
		keys = append(keys, Key{n, []Method{MD5, SHA1, SHA256, SHA512}[n%4], []byte{byte(n + 1)}})
	}
	keys[9] = Key{9, CRC, nil}
	ring, err := NewKeyring(15, keys)
	if err != nil || ring.Send() != 15 {
		t.Errorf("got %v, %v", ring, err)
	}
}

func TestKeyringCopiesItsSecrets(t *testing.T) {
	secret := []byte("before")
	ring, err := NewKeyring(1, []Key{{1, MD5, secret}})
	if err != nil {
		t.Fatal(err)
	}
	copy(secret, "after!")
	m := New("t", "status")
	packet := ring.NewCodec().Append(nil, &m, Netstring)
	if err := codecOf(t, 1, Key{1, MD5, []byte("before")}).Decode(packet, &m); err != nil {
		t.Errorf("signed with what the caller changed the secret into: %v", err)
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	key := Key{3, MD5, []byte("hunter2")}
	ring, err := NewKeyring(3, []Key{key, {1, CRC, nil}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(key, " ", ring), "3 md5 auth 3 of (1 crc) (3 md5)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, form := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		for _, x := range []any{key, &key, ring, []Key{key}, struct{ K Key }{key}} {
			got := fmt.Sprintf(form, x)
			if strings.Contains(got, "hunter2") || strings.Contains(got, "68756e74") ||
				strings.Contains(got, "104 117") || strings.Contains(got, "0x68") {
				t.Errorf("%s of a %T shows the secret: %s", form, x, got)
			}
		}
	}
}

func TestWhichKeyVerifies(t *testing.T) {
	a, b := []byte("secret-a"), []byte("secret-b")
	ring := []Key{{1, CRC, nil}, {2, SHA1, a}, {3, MD5, b}, {4, SHA256, []byte("secret-c")}}
	for _, tt := range []struct {
		name       string
		send       int // of the receiver, whose keys are ring
		by         Key // what the sender signs with
		want       Reason
		wantSecret int // number of the key that verified
	}{
		{name: "the key both send with", send: 2, by: Key{2, SHA1, a}, wantSecret: 2},
		{name: "another key of ours, under its number", send: 2, by: Key{3, MD5, b}, wantSecret: 3},
		{name: "our sending secret under another number, as 3.0.6 verifies", send: 2, by: Key{3, MD5, a}, wantSecret: 2},
		{name: "crc, which has no secret, whatever we send with", send: 2, by: Key{1, CRC, nil}, wantSecret: 1},
		{name: "a secret of ours that is neither", send: 2, by: Key{3, MD5, []byte("secret-c")}, want: BadSignature},
		{name: "the right secret under the wrong method", send: 2, by: Key{2, MD5, a}, want: BadSignature},
		{name: "the wrong secret", send: 2, by: Key{2, SHA1, []byte("secret-x")}, want: BadSignature},
		{name: "a number we do not have", send: 2, by: Key{7, SHA1, a}, want: UnknownKey},
		{name: "crc under a number that is not crc's", send: 2, by: Key{2, CRC, nil}, want: BadSignature},
		{name: "the empty secret of crc is lent to nobody", send: 1, by: Key{3, MD5, []byte{0}}, want: BadSignature},
	} {
		sender, receiver := codecOf(t, tt.by.Number, tt.by), codecOf(t, tt.send, ring...)
		m := New("t", "status", "src", "h1")
		for _, f := range []Format{Netstring, NetstringAuth, Classic} {
			var got Message
			err := receiver.Decode(sender.Append(nil, &m, f), &got)
			if reason(err) != tt.want {
				t.Errorf("%s (form %d): got %v, want %q", tt.name, f, err, tt.want)
			}
			number, secret := receiver.LastKey()
			if tt.want == "" && (number != tt.by.Number || secret != tt.wantSecret) {
				t.Errorf("%s (form %d): LastKey %d, %d, want %d, %d", tt.name, f, number, secret, tt.by.Number, tt.wantSecret)
			}
			if tt.want != "" && (number != -1 || secret != -1) {
				t.Errorf("%s (form %d): LastKey %d, %d of a packet that did not verify", tt.name, f, number, secret)
			}
		}
	}
}

func TestAppendWithKeySignsWithThatKey(t *testing.T) {
	a, b := Key{2, SHA1, []byte("a")}, Key{3, MD5, []byte("b")}
	both := codecOf(t, 2, a, b)
	m := New("t", "status")
	for _, tt := range []struct {
		name   string
		number int
		by     Key
	}{
		{name: "the number of a peer that has moved on", number: 3, by: b},
		{name: "our own", number: 2, by: a},
		{name: "a number we do not have means our own", number: 4, by: a},
		{name: "so does one that cannot be", number: -1, by: a},
		{name: "on either side", number: 16, by: a},
	} {
		for _, f := range []Format{Netstring, NetstringAuth, Classic} {
			packet := both.AppendWithKey(nil, &m, f, tt.number)
			if err := codecOf(t, tt.by.Number, tt.by).Decode(packet, new(Message)); err != nil {
				t.Errorf("%s (form %d): %v: %q", tt.name, f, err, packet)
			}
		}
	}
}

func reason(err error) Reason {
	if err == nil {
		return ""
	}
	return err.(*Error).Reason
}
