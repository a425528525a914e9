package worker

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A ProbeSpec says what to ask and how often.
type ProbeSpec struct {
	URL     string // http://host/path, tcp://host:port, icmp://host or arp://host; host is an address
	Every   time.Duration
	Timeout time.Duration
}

// A ProbeMessage is one question and what became of it, or, as the first
// message, whether the prober runs at real-time priority.
type ProbeMessage struct {
	Due      time.Duration `json:",omitempty"` // when it was to be asked, monotonic like the next two
	Asked    time.Duration `json:",omitempty"` // when it was asked: later than Due by our own lateness
	Done     time.Duration `json:",omitempty"` // when the answer was complete or given up
	Who      string        `json:",omitempty"` // who answered, as far as the answer tells
	Error    string        `json:",omitempty"` // why there was no answer
	Realtime bool          `json:",omitempty"`
}

// Probe asks every so often, whether or not earlier questions are answered
// yet, until its input ends. Questions still open then are waited for.
func Probe(pipe *Pipe) error {
	var spec ProbeSpec
	if err := pipe.Receive(&spec); err != nil {
		return err
	}
	ask, err := asker(spec)
	if err != nil {
		return err
	}
	ready := ProbeMessage{Realtime: realtime(PriorityProbe)}
	ended := make(chan struct{})
	go func() {
		var none struct{}
		_ = pipe.Receive(&none) // only ever io.EOF
		close(ended)
	}()
	if err := errors.Join(pipe.Send(ready), pipe.Flush()); err != nil {
		return err
	}
	// 4096 answers are 8 s at one every 2 ms, should the lab not read for so long.
	answers := make(chan ProbeMessage, 4096)
	told := make(chan error)
	go func() { told <- tellAll(pipe, answers) }()
	shoot(spec, ask, answers, ended)
	close(answers)
	return <-told
}

// shoot asks at start, start+Every, start+2*Every … Of the questions that are
// overdue, since this process was held up, it asks the first and skips the
// others: a burst would be no fair question.
func shoot(spec ProbeSpec, ask func(context.Context) (string, error), answers chan<- ProbeMessage, ended <-chan struct{}) {
	onTime()
	var open sync.WaitGroup
	defer open.Wait()
	for due := Now() + spec.Every; ; due += spec.Every {
		sleepUntil(due)
		select {
		case <-ended:
			return
		default:
		}
		message := ProbeMessage{Due: due}
		open.Go(func() {
			message.Asked = Now()
			ctx, cancel := context.WithTimeout(context.Background(), spec.Timeout)
			defer cancel()
			who, err := ask(ctx)
			message.Done, message.Who = Now(), who
			if err != nil {
				message.Error = err.Error()
			}
			answers <- message
		})
		if late := Now() - due; late > spec.Every {
			due += late / spec.Every * spec.Every
		}
	}
}

// tellAll hands the lab what there is whenever there is no more at the moment.
func tellAll(pipe *Pipe, answers <-chan ProbeMessage) error {
	for answer := range answers {
		if err := pipe.Send(answer); err != nil {
			return err
		}
		if len(answers) > 0 {
			continue
		}
		if err := pipe.Flush(); err != nil {
			return err
		}
	}
	return nil
}

func asker(spec ProbeSpec) (func(context.Context) (string, error), error) {
	target, err := url.Parse(spec.URL)
	if err != nil {
		return nil, err
	}
	switch target.Scheme {
	case "http":
		return askHTTP(target), nil
	case "tcp":
		return askTCP(target.Host), nil
	case "icmp":
		return askICMP(target.Hostname())
	case "arp":
		return askARP(target.Hostname())
	}
	return nil, fmt.Errorf("probe %s: want http, tcp, icmp or arp", spec.URL)
}

// dialer makes connections that are reset when closed, so that 500 of them a
// second leave no port waiting on either side.
var dialer = net.Dialer{
	Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) {
			_ = unix.SetsockoptLinger(int(fd), unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
		})
	},
}

func askTCP(address string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		conn, err := dialer.DialContext(ctx, "tcp", address)
		if err != nil {
			return "", err
		}
		return "", conn.Close()
	}
}

// askHTTP asks on a new connection each time. Only status 200 is an answer.
func askHTTP(target *url.URL) func(context.Context) (string, error) {
	address := target.Host
	if target.Port() == "" {
		address = net.JoinHostPort(target.Hostname(), "80")
	}
	request := fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", target.RequestURI(), target.Host)
	return func(ctx context.Context) (string, error) {
		conn, err := dialer.DialContext(ctx, "tcp", address)
		if err != nil {
			return "", err
		}
		defer conn.Close()
		deadline, _ := ctx.Deadline()
		if err := conn.SetDeadline(deadline); err != nil {
			return "", err
		}
		if _, err := io.WriteString(conn, request); err != nil {
			return "", err
		}
		return readAnswer(conn)
	}
}

// readAnswer reads a whole response. Who answered is its X-Node header, or,
// without one, the first 64 bytes of the first line of its body.
func readAnswer(conn net.Conn) (string, error) {
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return "", err
	}
	if response.StatusCode != http.StatusOK {
		return "", errors.New(response.Status)
	}
	if who := response.Header.Get("X-Node"); who != "" {
		return who, nil
	}
	line, _, _ := strings.Cut(string(body), "\n")
	return strings.TrimSpace(line[:min(len(line), 64)]), nil
}
