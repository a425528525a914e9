package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"syscall"
	"time"
)

// A Client asks a daemon. Every question has its own connection and its own
// limit of time, so that no call lasts longer than its limit, whatever the
// daemon does.
type Client struct{ socket string }

// At is the client for a socket. It does not connect.
func At(socket string) *Client { return &Client{socket} }

// What keeps a question from being answered; every other error is an *Error of
// the server's, or a broken conversation.
var (
	ErrNotRunning = errors.New("systole is not running")
	ErrPermission = errors.New("permission denied")
	ErrTimeout    = errors.New("systole does not answer")
)

// The limits of time, each a little more than the server's own.
const (
	askTime     = 2 * time.Second
	askMoveTime = moveTime + time.Second
	askReady    = readyTime + time.Second
	maxSilence  = 3 * aliveInterval // of an event stream, which says at least that it is alive
)

// maxAnswer bounds one line, in bytes: a thousand groups of a hundred resources
// fit.
const maxAnswer = 16 << 20

// Status asks for a picture of the node.
func (c *Client) Status(ctx context.Context) (Status, error) {
	a, err := c.ask(ctx, askTime, request{Request: requestStatus})
	if err != nil {
		return Status{}, err
	}
	if a.Status == nil {
		return Status{}, errAnswer
	}
	return *a.Status, nil
}

// Move asks to move groups and waits until that is accepted or refused, sixteen
// seconds at most. kind is standby or takeover, scope all, local or foreign as
// the node asked sees it.
func (c *Client) Move(ctx context.Context, kind, scope string) (Move, error) {
	a, err := c.ask(ctx, askMoveTime, request{Request: requestMove, Kind: kind, Scope: scope})
	if err != nil {
		return Move{}, err
	}
	if a.Move == nil {
		return Move{}, errAnswer
	}
	return *a.Move, nil
}

// Fence has the daemon fence a node now, or, where kind is confirm and not
// fence, tells it that the node is known to be off.
func (c *Client) Fence(ctx context.Context, kind, node string) (Move, error) {
	a, err := c.ask(ctx, askMoveTime, request{Request: requestFence, Kind: kind, Name: node})
	if err != nil {
		return Move{}, err
	}
	if a.Move == nil {
		return Move{}, errAnswer
	}
	return *a.Move, nil
}

// Ready has the daemon look whether a takeover there would work. That takes a
// second, or where something hangs as long as readiness.Longest.
func (c *Client) Ready(ctx context.Context) (Ready, error) {
	a, err := c.ask(ctx, askReady, request{Request: requestReady})
	if err != nil {
		return Ready{}, err
	}
	if a.Ready == nil {
		return Ready{}, errAnswer
	}
	return *a.Ready, nil
}

// Parameter asks for a directive of ha.cf as it is written there, or its
// default.
func (c *Client) Parameter(ctx context.Context, name string) (value string, known bool, err error) {
	a, err := c.ask(ctx, askTime, request{Request: requestParameter, Name: name})
	if err != nil {
		return "", false, err
	}
	if a.Parameter == nil {
		return "", false, errAnswer
	}
	return a.Parameter.Value, a.Parameter.Known, nil
}

var errAnswer = errors.New("the daemon answered something else")

// ask has one conversation of one line each.
func (c *Client) ask(ctx context.Context, limit time.Duration, r request) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	conn, _, a, err := c.begin(ctx, limit, r)
	if err != nil {
		return answer{}, err
	}
	return a, conn.Close()
}

// begin connects, sends the request and reads the first line.
func (c *Client) begin(ctx context.Context, limit time.Duration, r request) (net.Conn, *bufio.Reader, answer, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", c.socket)
	if err != nil {
		return nil, nil, answer{}, c.explain(ctx, err, limit)
	}
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	lines := bufio.NewReader(conn)
	a, err := exchange(conn, lines, r)
	if err != nil {
		conn.Close()
		return nil, nil, answer{}, c.explain(ctx, err, limit)
	}
	return conn, lines, a, nil
}

func exchange(conn net.Conn, lines *bufio.Reader, r request) (answer, error) {
	r.Protocol = protocol
	b, err := json.Marshal(r)
	if err != nil {
		return answer{}, err
	}
	if _, err := conn.Write(append(b, '\n')); err != nil && !errors.Is(err, syscall.EPIPE) {
		return answer{}, err
	} // who was refused before it had asked can still read why
	var a answer
	if err := readLine(lines, &a); err != nil {
		return answer{}, err
	}
	switch {
	case a.Error != nil:
		return answer{}, a.Error
	case a.Protocol != protocol:
		return answer{}, fmt.Errorf("the daemon speaks protocol %d, this command %d", a.Protocol, protocol)
	}
	return a, nil
}

// readLine reads one line of JSON, of maxAnswer bytes at the most.
func readLine(r *bufio.Reader, into any) error {
	var long []byte
	for {
		part, err := r.ReadSlice('\n')
		long = append(long, part...)
		switch {
		case len(long) > maxAnswer:
			return fmt.Errorf("an answer of more than %d bytes", maxAnswer)
		case err == nil:
			return json.Unmarshal(long, into)
		case !errors.Is(err, bufio.ErrBufferFull):
			return err
		}
	}
}

// explain turns what went wrong into what an operator can do something about.
func (c *Client) explain(ctx context.Context, err error, limit time.Duration) error {
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return ctx.Err()
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w (no %s)", ErrNotRunning, c.socket)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w (nobody listens at %s)", ErrNotRunning, c.socket)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: %s is root's", ErrPermission, c.socket)
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), errors.Is(err, syscall.EAGAIN):
		return fmt.Errorf("%w (waited %v)", ErrTimeout, limit)
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		return fmt.Errorf("%w (it closed the connection)", ErrNotRunning)
	}
	return err
}
