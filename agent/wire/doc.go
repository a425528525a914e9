// Package wire is the text of Heartbeat's messages: bytes in, bytes out.
//
// A message is a list of named fields in an order that matters, because the
// digests cover it. It travels in one of two forms, which a receiver tells
// apart by the first bytes. The netstring form is what Heartbeat 3.0.6 puts
// into every datagram, whatever ha.cf says under msgfmt:
//
//	###\n  LEN:(TYPE)NAME=VALUE,  …  %%%\n  LEN:KEY DIGEST,
//
// LEN is decimal and counts what stands between the colon and the comma. The
// tail behind %%%\n is the authentication: the number of a line of authkeys,
// and a digest of everything before the tail. The classic form is what serial
// lines carry, and what 3.0.6 accepts by datagram too:
//
//	>>>\n  NAME=VALUE\n  (1)NAME=BASE64\n  …  auth=KEY DIGEST\n  <<<\n
//
// Its digest covers the lines without >>>, <<< and the auth line. In its
// default setting 3.0.6 signs datagrams twice: the auth field of the classic
// form, computed over that form, rides inside the netstring form. Nobody
// checks it there.
//
// Numbers in fields are hexadecimal without prefix, but for ttl, protocol and
// the firstseq and lastseq of NS_rexmit, which are decimal.
//
// Nothing read here is trusted before its digest is right, and what is behind
// a right digest is still checked like hostile input: crc is a method, and has
// no secret. Replay is not this package's business; it takes the sequence
// numbers of the source.
//
// Sources: Heartbeat 3.0.6 on Debian 12, whose packets are in
// testdata/messages.json; cl_msg.c, cl_netstring.c, cl_msg_types.c and
// cl_compress.c in cluster-glue's lib/clplumbing; RFC 2104 for HMAC.
package wire

const (
	// MaxPacket is the longest packet Decode looks at, in bytes: what fits with
	// a closing NUL into the 256 KiB of MAXMSG in cluster-glue's ha_msg.h.
	MaxPacket = 256*1024 - 1

	// MaxInflated is the longest text a compressed message may hold, in bytes:
	// MAXUNCOMPRESSED in the same file.
	MaxInflated = 2 * 1024 * 1024

	// MaxFields is the most fields Decode takes in one message. The largest of
	// Heartbeat's own has 15, one a script sent here had 29; without a bound,
	// 256 KiB of one-letter fields would make 30,000.
	MaxFields = 256
)

// authName is the field that holds the digest of the classic form.
const authName = "auth"
