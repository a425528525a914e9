package wire

// A Reason says in one word why a packet was refused. The set is closed, so
// that a reason can label a counter.
type Reason string

const (
	BadSignature Reason = "bad_signature" // the digest is not ours: another secret, or a changed packet
	UnknownKey   Reason = "unknown_key"   // signed with a key number that authkeys does not have
	Malformed    Reason = "malformed"     // not the text of a message
	Oversize     Reason = "oversize"      // longer, or of more fields, than any message may be
)

// An Error is why Decode refused a packet. All of them are prepared in advance,
// so that refusing costs no allocation: compare Reason, do not change them.
type Error struct {
	Reason Reason
	Detail string // for people; a fixed sentence, nothing of the packet is in it
}

func (e *Error) Error() string { return string(e.Reason) + ": " + e.Detail }

var (
	errPacketLong   = &Error{Oversize, "packet longer than 262143 bytes"}
	errFields       = &Error{Oversize, "more than 256 fields"}
	errInflatedLong = &Error{Oversize, "more than 2 MiB when decompressed"}

	errDigest = &Error{BadSignature, "digest does not match"}
	errKey    = &Error{UnknownKey, "key number not in authkeys"}

	errStart      = &Error{Malformed, "begins with neither ### nor >>>"}
	errNoTail     = &Error{Malformed, "no %%% before the end"}
	errTail       = &Error{Malformed, "bad tail after %%%"}
	errNoEnd      = &Error{Malformed, "does not end with <<<"}
	errNoAuth     = &Error{Malformed, "no auth line"}
	errAuth       = &Error{Malformed, "authentication is not a number and a digest"}
	errLength     = &Error{Malformed, "bad length of a field"}
	errType       = &Error{Malformed, "bad type of a field"}
	errName       = &Error{Malformed, "bad name of a field"}
	errValue      = &Error{Malformed, "bad value of a field"}
	errCompressed = &Error{Malformed, "bad compressed message"}
)
