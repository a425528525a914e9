package wire

import (
	"encoding/binary"
	"hash"
)

// crcPolynomial is that of Ethernet and of POSIX cksum, most significant bit
// first.
const crcPolynomial = 0x04c11db7

var crcTable = makeCRCTable()

// A crc is the checksum of the method crc: that of cksum(1) but without the
// length appended, so bits go in most significant first, the register starts at
// 0 and is complemented at the end. hash/crc32 is the reflected kind and cannot
// compute it.
//
// Source: crc.c in heartbeat's lib/plugins/HBauth.
type crc uint32

func newCRC() hash.Hash32 { return new(crc) }

func (c *crc) Write(p []byte) (int, error) {
	sum := uint32(*c)
	for _, b := range p {
		sum = sum<<8 ^ crcTable[byte(sum>>24)^b]
	}
	*c = crc(sum)
	return len(p), nil
}

func (c *crc) Sum(b []byte) []byte { return binary.BigEndian.AppendUint32(b, c.Sum32()) }
func (c *crc) Sum32() uint32       { return ^uint32(*c) }
func (c *crc) Reset()              { *c = 0 }
func (c *crc) Size() int           { return 4 }
func (c *crc) BlockSize() int      { return 1 }

func makeCRCTable() (table [256]uint32) {
	for i := range table {
		sum := uint32(i) << 24
		for range 8 {
			carry := sum>>31 != 0
			sum <<= 1
			if carry {
				sum ^= crcPolynomial
			}
		}
		table[i] = sum
	}
	return table
}
