package wire

import (
	"slices"
	"testing"
)

func TestKeyringsDiffer(t *testing.T) {
	ring := func(keys ...Key) *Keyring {
		r, err := NewKeyring(keys[0].Number, keys)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	key := func(number int, method Method, secret string) Key { return Key{number, method, []byte(secret)} }
	before := ring(key(1, SHA1, "a"), key(2, SHA1, "b"), key(3, CRC, ""))
	for _, tt := range []struct {
		name string
		now  *Keyring
		want []int
	}{
		{name: "the same in another order", now: ring(key(3, CRC, ""), key(2, SHA1, "b"), key(1, SHA1, "a"))},
		{name: "another secret of the same length", now: ring(key(1, SHA1, "a"), key(2, SHA1, "c"), key(3, CRC, "")), want: []int{2}},
		{name: "another method", now: ring(key(1, SHA256, "a"), key(2, SHA1, "b"), key(3, CRC, "")), want: []int{1}},
		{name: "one gone and one new", now: ring(key(1, SHA1, "a"), key(3, CRC, ""), key(15, SHA1, "d")), want: []int{2, 15}},
	} {
		if got := tt.now.Differ(before); !slices.Equal(got, tt.want) {
			t.Errorf("%s:\n got %v\nwant %v", tt.name, got, tt.want)
		}
		if got := before.Differ(tt.now); !slices.Equal(got, tt.want) {
			t.Errorf("%s, the other way:\n got %v\nwant %v", tt.name, got, tt.want)
		}
	}
}
