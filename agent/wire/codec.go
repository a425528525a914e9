package wire

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/hex"
	"hash"
	"strconv"
)

// A Codec signs and encodes, decodes and verifies. It keeps hash states and
// buffers and is for one goroutine at a time.
type Codec struct {
	ring *Keyring
	own  [maxKeys]*digester // by number: the key's method and its secret
	lent [maxKeys]*digester // by number: the key's method, the secret of the sending key

	number, secret int    // of the last packet that verified
	digest         []byte // the digest a packet should have
	text           []byte // the classic form, where only its digest travels
	plain          []byte // decoded base64
	inflater       inflater
}

// NewCodec makes a codec that signs and verifies with these keys.
func (r *Keyring) NewCodec() *Codec {
	c := &Codec{ring: r, number: -1, secret: -1, digest: make([]byte, 0, 2*sha512.Size)}
	send := r.keys[r.send]
	for i, k := range r.keys {
		if k == nil {
			continue
		}
		c.own[i] = newDigester(k.Method, k.Secret)
		if k.Method != CRC && send.Method != CRC && !bytes.Equal(k.Secret, send.Secret) {
			c.lent[i] = newDigester(k.Method, send.Secret)
		}
	}
	return c
}

// LastKey tells about the last packet whose digest was right: the key number it
// named, which is what its sender signs with, and the number of the key whose
// secret it was. The two differ only during a key roll (see Decode). Both are
// -1 before the first such packet.
func (c *Codec) LastKey() (number, secret int) { return c.number, c.secret }

// verify checks an authentication, "NUMBER DIGEST", of a text in two parts.
func (c *Codec) verify(auth, before, after []byte) error {
	number, digest, err := parseAuth(auth)
	if err != nil {
		return err
	}
	switch {
	case c.matches(c.own[number], digest, before, after):
		c.number, c.secret = number, number
	case c.matches(c.lent[number], digest, before, after):
		c.number, c.secret = number, c.ring.send
	case c.own[number] == nil:
		return errKey
	default:
		return errDigest
	}
	return nil
}

// matches compares in constant time. A nil digester matches nothing.
func (c *Codec) matches(d *digester, digest, before, after []byte) bool {
	if d == nil {
		return false
	}
	c.digest = d.append(c.digest[:0], before, after)
	return subtle.ConstantTimeCompare(c.digest, digest) == 1
}

// parseAuth reads "NUMBER DIGEST". A number above 15 is the number of no key.
func parseAuth(auth []byte) (number int, digest []byte, err error) {
	word, digest, ok := bytes.Cut(auth, []byte(" "))
	n, isNumber := parseUint(word, 10)
	switch {
	case !ok || !isNumber || len(digest) == 0 || len(word) > 1 && word[0] == '0':
		return 0, nil, errAuth
	case n >= maxKeys:
		return 0, nil, errKey
	}
	return int(n), digest, nil
}

// A digester computes the digests of one method with one secret.
type digester struct {
	hash hash.Hash
	crc  hash.Hash32 // the same hash if the method is crc, else nil
	sum  [sha512.Size]byte
}

func newDigester(m Method, secret []byte) *digester {
	switch m {
	case CRC:
		crc := newCRC()
		return &digester{hash: crc, crc: crc}
	case MD5:
		return &digester{hash: hmac.New(md5.New, secret)}
	case SHA1:
		return &digester{hash: hmac.New(sha1.New, secret)}
	case SHA256:
		return &digester{hash: hmac.New(sha256.New, secret)}
	case SHA512:
		return &digester{hash: hmac.New(sha512.New, secret)}
	}
	panic("wire: unknown method " + string(m))
}

// append appends the digest of a text in two parts, in lower-case hexadecimal;
// that of crc without leading zeros, so of 1 to 8 digits. The text may be in
// the very buffer it appends to.
func (d *digester) append(dst, before, after []byte) []byte {
	d.hash.Reset()
	d.hash.Write(before)
	d.hash.Write(after)
	if d.crc != nil {
		return strconv.AppendUint(dst, uint64(d.crc.Sum32()), 16)
	}
	return hex.AppendEncode(dst, d.hash.Sum(d.sum[:0]))
}
