package control

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"slices"
	"time"

	"github.com/systole-ha/systole/agent/event"
)

// batchSize bounds the records copied at a time while Record has to wait: a few
// microseconds.
const batchSize = 64

// stream sends events to one reader. The ring is its queue: it holds only a
// position in it, so that a slow reader costs nothing and delays nobody. That a
// reader has gone shows when it is written to, so it may have closed its own
// direction long ago.
func (s *Server) stream(ctx context.Context, c net.Conn, r request) {
	least, _ := ParseSeverity(r.Severity) // checked by decodeRequest
	news := make(chan struct{}, 1)
	first, position, gone := s.open(r, news)
	defer s.close(news)
	if send(c, streamTime, answer{Events: &first}) != nil {
		return
	}
	if gone != nil && s.write(c, line{Missed: gone}) != nil {
		return
	}
	var batch [batchSize]event.Record
	for {
		s.mu.Lock()
		records, next, missed := s.ring.read(position, batch[:0])
		s.mu.Unlock()
		position = next
		if s.writeRecords(c, records, missed, least) != nil {
			return
		}
		switch {
		case len(records) == batchSize:
			continue
		case !r.Follow:
			s.write(c, line{End: true})
			return
		}
		select {
		case <-news:
		case <-time.After(aliveInterval):
			if s.write(c, line{Alive: true}) != nil {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// open finds where a stream begins. news is told of what comes later.
func (s *Server) open(r request, news chan struct{}) (first Events, position uint64, gone *Missed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	position, gone = s.ring.after(r.Since)
	if r.Follow {
		s.streams[news] = struct{}{}
	}
	return Events{Generation: s.facts.generation, Oldest: s.ring.oldest(), Newest: s.ring.newest()}, position, gone
}

func (s *Server) close(news chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.streams, news)
}

func (s *Server) writeRecords(c net.Conn, records []event.Record, missed uint64, least event.Severity) error {
	var lines []line
	if missed > 0 {
		lines = append(lines, line{Missed: &Missed{missed, records[0].Sequence}})
	}
	for _, r := range records {
		if severity := event.SeverityOf(r.Event); severity >= least {
			lines = append(lines, line{Event: shown(r, severity)})
		}
	}
	return s.write(c, lines...)
}

func shown(r event.Record, severity event.Severity) *Event {
	return &Event{
		Sequence: r.Sequence, Time: wall(r.Time), Cluster: r.Cluster, Node: r.Node, Kind: r.Event.Kind(),
		Severity: severity.String(), Text: event.Text(r.Event), Fields: event.Map(r.Event),
	}
}

// Newest is the last events that are at least so severe, oldest first: for who
// is in the same process. Record waits for no more than a batch of them.
func (s *Server) Newest(least event.Severity, most int) []Event {
	var events []Event
	var batch [batchSize]event.Record
	s.mu.Lock()
	before := s.ring.end
	s.mu.Unlock()
	for len(events) < most {
		s.mu.Lock()
		records, first := s.ring.readBack(before, batch[:0])
		s.mu.Unlock()
		if len(records) == 0 {
			break
		}
		before = first
		for _, r := range records {
			if severity := event.SeverityOf(r.Event); severity >= least && len(events) < most {
				events = append(events, *shown(r, severity))
			}
		}
	}
	slices.Reverse(events)
	return events
}

func (s *Server) write(c net.Conn, lines ...line) error {
	if len(lines) == 0 {
		return nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	for _, l := range lines {
		if err := e.Encode(l); err != nil {
			return err
		}
	}
	c.SetWriteDeadline(time.Now().Add(streamTime))
	_, err := c.Write(b.Bytes())
	return err
}
