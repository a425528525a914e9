package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/agent/readiness"
	"github.com/systole-ha/systole/agent/takeover"
)

// stuck is a node whose loop does not come round.
type stuck struct{}

func (stuck) Snapshot(ctx context.Context) (core.Snapshot, error) {
	<-ctx.Done()
	return core.Snapshot{}, ctx.Err()
}

func (stuck) Request(ctx context.Context, _, _ string, _ int) (takeover.Reply, error) {
	<-ctx.Done()
	return takeover.Reply{}, ctx.Err()
}

func (stuck) Ready(ctx context.Context) (readiness.Report, error) {
	<-ctx.Done()
	return readiness.Report{}, ctx.Err()
}

func (stuck) Parameter(string) (string, bool) { return "", false }

// talk is one conversation in a bubble: what the client writes, and everything
// it gets until the server closes, with the time that took.
func talk(t *testing.T, s *Server, node Node, text string) (lines []string, took time.Duration) {
	t.Helper()
	client, server := net.Pipe()
	begin := time.Now()
	go func() {
		s.converse(t.Context(), server, node, newSlots())
		server.Close()
	}()
	go io.WriteString(client, text) // fails when the server has heard enough
	b, err := io.ReadAll(client)
	if err != nil {
		t.Errorf("read: %v", err)
	}
	client.Close()
	synctest.Wait()
	return strings.FieldsFunc(string(b), func(r rune) bool { return r == '\n' }), time.Since(begin)
}

func TestConversationsEnd(t *testing.T) {
	for _, tt := range []struct {
		name, says string
		want       string // part of the answer
		took       time.Duration
	}{
		{name: "a client that says nothing is dropped", took: 2 * time.Second},
		{name: "a client that stops in the middle is dropped", says: `{"protocol"`, took: 2 * time.Second},
		{name: "garbage is answered at once", says: "\x00\xff\n", want: `"code":"bad_request"`},
		{
			name: "a request that does not end is cut off", says: strings.Repeat("x", 4096),
			want: `"message":"a request of more than 4096 bytes"`,
		},
		{name: "a request of the full length is read", says: strings.Repeat("x", 4095) + "\n", want: "not a request"},
		{
			name: "a loop that does not answer is given up", says: `{"protocol":1,"request":"status"}` + "\n",
			want: `"code":"timed_out"`, took: 1500 * time.Millisecond,
		},
		{
			name: "a peer that does not answer is given up", says: `{"protocol":1,"request":"move","kind":"standby","scope":"all"}` + "\n",
			want: `"code":"timed_out"`, took: 15 * time.Second,
		},
		{
			name: "a second request is not read", want: `"parameter":{"known":false,"value":""}`,
			says: strings.Repeat(`{"protocol":1,"request":"parameter","name":"node"}`+"\n", 2),
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				lines, took := talk(t, newServer(nil), stuck{}, tt.says)
				if got := strings.Join(lines, "\n"); !strings.Contains(got, tt.want) || (tt.want == "") != (got == "") {
					t.Errorf("answer %q, want %q in it", got, tt.want)
				}
				if took != tt.took {
					t.Errorf("took %v, want %v", took, tt.took)
				}
			})
		})
	}
}

// A reader follows a stream in a bubble.
type reader struct {
	conn  net.Conn
	lines *bufio.Reader
	ended chan struct{}
}

func follow(t *testing.T, s *Server, request string) *reader {
	t.Helper()
	client, server := net.Pipe()
	r := &reader{conn: client, lines: bufio.NewReader(client), ended: make(chan struct{})}
	go func() {
		defer close(r.ended)
		s.converse(t.Context(), server, stuck{}, newSlots())
		server.Close()
	}()
	fmt.Fprintln(client, request)
	return r
}

// next is the next line, less what it always says.
func (r *reader) next(t *testing.T) string {
	t.Helper()
	b, err := r.lines.ReadBytes('\n')
	if err != nil {
		return err.Error()
	}
	var l struct {
		Events *Events
		line
	}
	if err := json.Unmarshal(b, &l); err != nil {
		t.Fatal(err)
	}
	switch {
	case l.Events != nil:
		return fmt.Sprintf("generation %d, %d to %d", l.Events.Generation, l.Events.Oldest, l.Events.Newest)
	case l.Event != nil:
		return fmt.Sprintf("%d %s", l.Event.Sequence, l.Event.Text)
	case l.Missed != nil:
		return fmt.Sprintf("missed %d before %d", l.Missed.Count, l.Missed.Before)
	case l.Alive:
		return "alive"
	case l.End:
		return "end"
	}
	return string(b)
}

func (r *reader) expect(t *testing.T, want ...string) {
	t.Helper()
	for _, w := range want {
		if got := r.next(t); got != w {
			t.Errorf("stream says %q, want %q", got, w)
		}
	}
}

// record gives the server events numbered from first on.
func record(s *Server, first uint64, events ...event.Event) {
	for i, e := range events {
		s.Record(event.Record{Sequence: first + uint64(i), Time: t0, Node: "alpha", Event: e})
	}
}

func TestStream(t *testing.T) {
	up, dead := event.LinkUp{Peer: "beta", Link: "eth0"}, event.PeerDead{Peer: "beta"}
	synctest.Test(t, func(t *testing.T) {
		s := newServer(nil)
		record(s, 1, event.NodeStarted{Generation: 7}, event.HeartbeatSent{}, up, dead)
		all := follow(t, s, `{"protocol":1,"request":"events"}`)
		all.expect(t, "generation 7, 1 to 4", "1 node.started generation=7 pid=0", "3 link.up peer=beta link=eth0", "4 peer.dead peer=beta sequence=0", "end", "EOF")

		worst := follow(t, s, `{"protocol":1,"request":"events","severity":"critical"}`)
		worst.expect(t, "generation 7, 1 to 4", "4 peer.dead peer=beta sequence=0", "end", "EOF")

		later := follow(t, s, `{"protocol":1,"request":"events","since":3,"follow":true}`)
		later.expect(t, "generation 7, 1 to 4", "4 peer.dead peer=beta sequence=0")
		record(s, 5, event.HeartbeatSent{}, up)
		later.expect(t, "6 link.up peer=beta link=eth0")

		begin := time.Now()
		later.expect(t, "alive", "alive")
		if took := time.Since(begin); took != 10*time.Second {
			t.Errorf("two signs of life took %v, want 10s", took)
		}
		later.conn.Close()
		<-later.ended // the next sign of life finds that nobody reads
		if n := len(s.streams); n != 0 {
			t.Errorf("%d streams are still told of news", n)
		}
	})
}

// A reader that stops reading loses the oldest events, is told how many, and
// never keeps Record waiting.
func TestSlowFollower(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(nil)
		slow := follow(t, s, `{"protocol":1,"request":"events","follow":true}`)
		slow.expect(t, "generation 0, 0 to 0")
		synctest.Wait()
		record(s, 1, event.LinkUp{})
		synctest.Wait() // the stream is now stuck in writing number 1
		begin := time.Now()
		for i := range uint64(ringSize + 100) {
			record(s, i+2, event.LinkUp{})
		}
		if took := time.Since(begin); took != 0 {
			t.Errorf("Record waited %v", took)
		}
		slow.expect(t, "1 link.up", "missed 100 before 102", "102 link.up", "103 link.up")
		for range ringSize - 3 {
			slow.next(t)
		}
		slow.expect(t, fmt.Sprintf("%d link.up", ringSize+101), "alive")
		slow.conn.Close()
		<-slow.ended
	})
}

func TestAReaderThatReadsNothingIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(nil)
		r := follow(t, s, `{"protocol":1,"request":"events","follow":true}`)
		begin := time.Now()
		<-r.ended // a pipe has no buffer: the first line is not taken
		if took := time.Since(begin); took != 30*time.Second {
			t.Errorf("dropped after %v, want 30s", took)
		}
		r.conn.Close()
	})
}

func TestAStreamBeginsWithWhatIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(nil)
		for i := range uint64(ringSize + 2) {
			record(s, i+1, event.LinkUp{})
		}
		first := fmt.Sprintf("generation 0, 3 to %d", ringSize+2)
		for since, want := range map[int]string{0: "missed 2 before 3", 1: "missed 0 before 3", 2: "3 link.up"} {
			r := follow(t, s, fmt.Sprintf(`{"protocol":1,"request":"events","since":%d}`, since))
			r.expect(t, first, want)
			r.conn.Close()
			<-r.ended
		}
	})
}

func TestOnlySoManyStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, slots := newServer(nil), newSlots()
		for range maxStreams {
			if !slots.takeStream() {
				t.Fatal("a stream too few")
			}
		}
		client, server := net.Pipe()
		go func() {
			s.converse(t.Context(), server, stuck{}, slots)
			server.Close()
		}()
		go fmt.Fprintln(client, `{"protocol":1,"request":"events"}`)
		b, err := io.ReadAll(client)
		want := `{"protocol":1,"error":{"code":"busy","message":"32 event streams are open"}}` + "\n"
		if string(b) != want || err != nil {
			t.Errorf("got %q, %v, want %q", b, err, want)
		}
	})
}

func TestErrorsOfTheNode(t *testing.T) {
	for err, want := range map[error]*Error{
		context.DeadlineExceeded:                 {TimedOut, "systole does not answer: it is too busy"},
		context.Canceled:                         {Unavailable, "systole is stopping"},
		errors.New("something else"):             {Unavailable, "something else"},
		fmt.Errorf("loop: %w", context.Canceled): {Unavailable, "systole is stopping"},
	} {
		if got := unanswered(err); *got != *want {
			t.Errorf("unanswered(%v):\n got %v\nwant %v", err, got, want)
		}
	}
}
