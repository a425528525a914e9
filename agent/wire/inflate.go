package wire

import (
	"bytes"
	"compress/bzip2"
	"compress/zlib"
	"io"
)

// A compressed message has these two fields and no other. Heartbeat makes them
// under traditional_compression on, and reads them under any setting.
//
// Source: cl_compress.c in cluster-glue's lib/clplumbing.
const (
	payloadName   = "_compressed_payload"
	algorithmName = "_compression_algorithm"
)

// An inflater keeps what can be used again from one compressed message to the
// next: all of zlib, nothing of bzip2, whose reader allocates up to 3.6 MB each
// time. Both are reached only by packets that verified.
type inflater struct {
	source bytes.Reader
	zlib   io.Reader
	text   bytes.Buffer
}

// inflate replaces the fields of a compressed message by those of the message
// inside: a netstring form without tail, or a classic form, whose auth field
// counts for nothing since the packet around it verified. Either may have a NUL
// at the end.
func (c *Codec) inflate(into *Message) error {
	if len(into.Fields) != 2 {
		return errCompressed
	}
	text, err := c.inflater.run(into.Get(algorithmName), into.Get(payloadName))
	if err != nil {
		return err
	}
	into.Reset()
	if lines, ok := classicLines(text); ok {
		err = c.parseLines(lines, into)
	} else {
		err = parseNetstring(bytes.TrimSuffix(text, []byte{0}), into)
	}
	if err == nil && into.Has(payloadName) {
		return errCompressed // twice: nobody does that for a good reason
	}
	return err
}

// run decompresses at most MaxInflated bytes, which hold until the next run.
func (i *inflater) run(algorithm, payload []byte) ([]byte, error) {
	i.source.Reset(payload)
	reader, err := i.reader(algorithm)
	if err != nil {
		return nil, errCompressed
	}
	i.text.Reset()
	n, err := i.text.ReadFrom(io.LimitReader(reader, MaxInflated+1))
	switch {
	case n > MaxInflated:
		return nil, errInflatedLong
	case err != nil || i.source.Len() > 0:
		return nil, errCompressed
	}
	return i.text.Bytes(), nil
}

func (i *inflater) reader(algorithm []byte) (io.Reader, error) {
	switch string(algorithm) {
	case "bz2":
		return bzip2.NewReader(&i.source), nil
	case "zlib":
		if i.zlib != nil {
			return i.zlib, i.zlib.(zlib.Resetter).Reset(&i.source, nil)
		}
		reader, err := zlib.NewReader(&i.source)
		if err != nil {
			return nil, err
		}
		i.zlib = reader
		return reader, nil
	}
	return nil, errCompressed
}
