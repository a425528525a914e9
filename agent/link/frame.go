package link

import (
	"bytes"
	"math"
)

const (
	frameStart = ">>>\n"
	frameEnd   = "\n<<<\n"
	nextFrame  = "\n" + frameStart // inside a frame: its own end was lost

	// maxFrame bounds a frame on a serial line. The longest message of
	// Heartbeat's own, the node list of a hundred nodes, has some 10 KB, and
	// takes 5 s at 19200 bit/s.
	maxFrame = 16 << 10
)

// A framer finds messages in the bytes of a serial line. Noise before a frame
// and frames that broke off are skipped.
type framer struct {
	buffer []byte
	from   int // what stands before was dealt with
}

// write adds bytes that arrived.
func (f *framer) write(b []byte) {
	f.buffer = append(f.buffer[:0], f.buffer[f.from:]...)
	f.from = 0
	f.buffer = append(f.buffer, b...)
}

// What a framer finds.
type finding int

const (
	nothing finding = iota // until more bytes arrive
	frame                  // a frame, from >>> to <<<
	broken                 // a frame that the start of another cut short
	tooLong                // a frame that passed maxFrame without an end
)

// next finds the next frame. Its bytes hold until the following write. Outside
// a frame ">>>\n" starts one wherever it stands, since noise may end anywhere;
// inside, only at the start of a line.
func (f *framer) next() (finding, []byte) {
	rest := f.buffer[f.from:]
	start := bytes.Index(rest, []byte(frameStart))
	if start < 0 {
		f.from += max(0, len(rest)-(len(frameStart)-1)) // the rest may be the start of a start
		return nothing, nil
	}
	f.from += start
	rest = rest[start:]
	end, restart := after(rest, frameEnd), after(rest, nextFrame)
	switch first := min(end, restart); {
	case first > maxFrame && len(rest) > maxFrame:
		f.from += len(frameStart)
		return tooLong, nil
	case first > len(rest):
		return nothing, nil
	case first == restart:
		f.from += restart - len(frameStart)
		return broken, nil
	}
	f.from += end
	return frame, rest[:end]
}

// after is where in b the bytes after mark begin; beyond any b without it.
func after(b []byte, mark string) int {
	at := bytes.Index(b, []byte(mark))
	if at < 0 {
		return math.MaxInt
	}
	return at + len(mark)
}

// behind is how many bytes arrived after what next found.
func (f *framer) behind() int { return len(f.buffer) - f.from }
