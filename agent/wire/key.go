package wire

import (
	"bytes"
	"fmt"
)

// A Method is a word that authkeys knows.
type Method string

const (
	CRC    Method = "crc"    // a checksum: against accidents, not against people
	MD5    Method = "md5"    // HMAC-MD5
	SHA1   Method = "sha1"   // HMAC-SHA-1
	SHA256 Method = "sha256" // HMAC-SHA-256, which Heartbeat 3.0.6 does not know
	SHA512 Method = "sha512" // HMAC-SHA-512, likewise
)

// maxKeys is the number of key numbers, 0 to 15 (MAXAUTH in heartbeat.h).
const maxKeys = 16

// A Key is one numbered line of authkeys.
type Key struct {
	Number int
	Method Method
	Secret []byte // empty for crc, never for the others
}

// String returns the key without its secret, so that %v and %+v cannot leak it.
func (k Key) String() string { return fmt.Sprintf("%d %s", k.Number, k.Method) }

// GoString does the same for %#v.
func (k Key) GoString() string { return k.String() }

// A Keyring holds the keys of authkeys. It does not change once made and may be
// shared.
type Keyring struct {
	keys [maxKeys]*Key // by number; nil where there is none
	send int
}

// NewKeyring makes a keyring that signs with key number send. It refuses a
// number outside 0 to 15 or given twice, a method it does not know, a secret
// for crc, the lack of one for any other method, and a send that is not among
// the keys. Secrets are copied.
func NewKeyring(send int, keys []Key) (*Keyring, error) {
	ring := &Keyring{send: send}
	for _, k := range keys {
		switch {
		case k.Number < 0 || k.Number >= maxKeys:
			return nil, fmt.Errorf("key %d: number not in 0 to 15", k.Number)
		case ring.keys[k.Number] != nil:
			return nil, fmt.Errorf("key %d: given twice", k.Number)
		case !k.Method.known():
			return nil, fmt.Errorf("key %d: unknown method %q", k.Number, string(k.Method))
		case k.Method == CRC && len(k.Secret) > 0:
			return nil, fmt.Errorf("key %d: crc takes no secret", k.Number)
		case k.Method != CRC && len(k.Secret) == 0:
			return nil, fmt.Errorf("key %d: %s needs a secret", k.Number, k.Method)
		}
		k.Secret = bytes.Clone(k.Secret)
		ring.keys[k.Number] = &k
	}
	if ring.key(send) == nil {
		return nil, fmt.Errorf("key %d: to be sent with, but not given", send)
	}
	return ring, nil
}

// Send returns the number of the key that signs.
func (r *Keyring) Send() int { return r.send }

// String names the keys without their secrets.
func (r *Keyring) String() string {
	line := fmt.Sprintf("auth %d of", r.send)
	for _, k := range r.keys {
		if k != nil {
			line += fmt.Sprintf(" (%s)", k)
		}
	}
	return line
}

// GoString does the same for %#v.
func (r *Keyring) GoString() string { return r.String() }

// key returns the key of that number, nil when there is none.
func (r *Keyring) key(number int) *Key {
	if number < 0 || number >= maxKeys {
		return nil
	}
	return r.keys[number]
}

func (m Method) known() bool {
	switch m {
	case CRC, MD5, SHA1, SHA256, SHA512:
		return true
	}
	return false
}
