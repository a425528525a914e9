package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// converse has one conversation: a request, an answer.
func (s *Server) converse(ctx context.Context, c net.Conn, node Node, slots slots) {
	c.SetDeadline(time.Now().Add(requestTime))
	r, err := readRequest(c)
	switch {
	case errors.Is(err, errNoRequest):
		return
	case err != nil:
		refuse(c, &Error{BadRequest, err.Error()})
		return
	}
	if r.Request == requestEvents {
		if !slots.takeStream() {
			refuse(c, &Error{Busy, fmt.Sprintf("%d event streams are open", maxStreams)})
			return
		}
		defer slots.giveStream()
		s.stream(ctx, c, r)
		return
	}
	a, err := s.answer(ctx, c, node, r)
	if err != nil {
		refuse(c, unanswered(err))
		return
	}
	send(c, requestTime, a)
}

// errNoRequest says that there is nobody to answer: the client has gone, or
// said nothing in time.
var errNoRequest = errors.New("no request")

func readRequest(c net.Conn) (request, error) {
	line, err := bufio.NewReaderSize(c, maxRequest).ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return request{}, fmt.Errorf("a request of more than %d bytes", maxRequest)
	case errors.Is(err, io.EOF) && len(line) > 0:
		return request{}, errors.New("a request without a newline at its end")
	case err != nil:
		return request{}, errNoRequest
	}
	return decodeRequest(line)
}

func (s *Server) answer(ctx context.Context, c net.Conn, node Node, r request) (answer, error) {
	switch r.Request {
	case requestStatus:
		st, err := s.Status(ctx, node)
		return answer{Status: &st}, err
	case requestMove:
		ctx, cancel := context.WithTimeout(ctx, moveTime)
		defer cancel()
		reply, err := node.Request(ctx, r.Kind, r.Scope, peerUID(c))
		return answer{Move: &Move{reply.Accepted, reply.Reason}}, err
	case requestFence:
		reply, err := node.Request(ctx, r.Kind, r.Name, peerUID(c))
		return answer{Move: &Move{reply.Accepted, reply.Reason}}, err
	case requestReady:
		ctx, cancel := context.WithTimeout(ctx, readyTime)
		defer cancel()
		report, err := node.Ready(ctx)
		return answer{Ready: readyOf(report)}, err
	default:
		value, known := node.Parameter(r.Name)
		return answer{Parameter: &parameter{known, value}}, nil
	}
}

// Status is what a client that asks for the status is told: for who is in the
// same process.
func (s *Server) Status(ctx context.Context, node Node) (Status, error) {
	ctx, cancel := context.WithTimeout(ctx, snapshotTime)
	defer cancel()
	snapshot, err := node.Snapshot(ctx)
	if err != nil {
		return Status{}, err
	}
	s.mu.Lock()
	facts, newest := s.facts.clone(), s.ring.newest()
	s.mu.Unlock()
	st := describe(snapshot, facts, s.nodes)
	st.Sequence = newest
	return st, nil
}

// unanswered says what it means that the node did not answer.
func unanswered(err error) *Error {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{TimedOut, "systole does not answer: it is too busy"}
	case errors.Is(err, context.Canceled):
		return &Error{Unavailable, "systole is stopping"}
	}
	return &Error{Unavailable, err.Error()}
}

func refuse(c net.Conn, e *Error) { send(c, requestTime, answer{Error: e}) }

// send writes one line within the time given. Who does not take it will not be
// told why.
func send(c net.Conn, limit time.Duration, a answer) error {
	a.Protocol = protocol
	b, err := json.Marshal(a)
	if err != nil {
		return err
	}
	c.SetWriteDeadline(time.Now().Add(limit))
	_, err = c.Write(append(b, '\n'))
	return err
}
