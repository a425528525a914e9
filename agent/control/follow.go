package control

import (
	"bufio"
	"context"
	"io"
	"net"
	"time"
)

// A Filter says which events a stream is of.
type Filter struct {
	Since    uint64 // sequence number behind which it begins; 0 for all that are kept
	Follow   bool   // go on with what happens next
	Severity string // the least: info (or nothing), notice, warning, error, critical
}

// A Stream is events as they come. It must be closed.
type Stream struct {
	Events // what the server said first
	client *Client
	conn   net.Conn
	lines  *bufio.Reader
	ctx    context.Context
	stop   func() bool
}

// An Item is what a stream delivers: an event, or the news that some are gone.
type Item struct {
	Event  *Event
	Missed *Missed
}

// Events opens an event stream. It ends with ctx.
func (c *Client) Events(ctx context.Context, f Filter) (*Stream, error) {
	opening, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	r := request{Request: requestEvents, Since: f.Since, Follow: f.Follow, Severity: f.Severity}
	conn, lines, a, err := c.begin(opening, askTime, r)
	if err != nil {
		return nil, err
	}
	if a.Events == nil {
		conn.Close()
		return nil, errAnswer
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	return &Stream{Events: *a.Events, client: c, conn: conn, lines: lines, ctx: ctx, stop: stop}, nil
}

// Next waits for the next item. io.EOF says that there are no more, ErrTimeout
// that nothing was heard of the daemon, not even that it is alive, and
// ErrNotRunning that it has gone.
func (s *Stream) Next() (Item, error) {
	for {
		s.conn.SetReadDeadline(time.Now().Add(maxSilence))
		var l line
		if err := readLine(s.lines, &l); err != nil {
			return Item{}, s.client.explain(s.ctx, err, maxSilence)
		}
		switch {
		case l.End:
			return Item{}, io.EOF
		case l.Event != nil || l.Missed != nil:
			return Item{l.Event, l.Missed}, nil
		}
	}
}

// Close ends the stream.
func (s *Stream) Close() error {
	s.stop()
	return s.conn.Close()
}
