package observe

import (
	"bufio"
	"bytes"
	"encoding/json"
	"sync"
	"time"

	"github.com/systole-ha/systole/test/lab"
)

// A bus is what a bystander on a node's system bus hears of the talk between
// systole and systemd: busctl(1), in real time.
type bus struct {
	mu      sync.Mutex
	systole string // the name on the bus of whoever started a unit last
	answers []time.Time
}

// overhear listens until the node is off or the test ends. It has the bus in
// real time as well, which else keeps the bystander waiting.
func (s *site) overhear(n *lab.Node) *bus {
	s.t.Helper()
	s.run(n, "sh", "-c", "chrt --rr --pid 5 $(systemctl show --value --property=MainPID dbus)")
	command, err := n.Command(s.t.Context(), "chrt", "--rr", "5", "busctl", "monitor", "--json=short")
	must(s.t, err)
	out, err := command.StdoutPipe()
	must(s.t, err)
	var said bytes.Buffer
	command.Stderr = &said
	must(s.t, command.Start())
	b := &bus{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		lines := bufio.NewScanner(out)
		for lines.Buffer(nil, 1<<20); lines.Scan(); {
			b.hear(lines.Bytes())
		}
		_ = command.Wait() // it is killed
	}()
	s.t.Cleanup(func() {
		<-done
		if s.t.Failed() {
			s.t.Logf("busctl on %s: %s", n, said.Bytes())
		}
	})
	return b
}

func (b *bus) hear(line []byte) {
	var message struct {
		Type, Member, Sender, Destination string
		At                                int64 `json:"timestamp-realtime"`
	}
	if json.Unmarshal(line, &message) != nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case message.Member == "StartUnit":
		b.systole, b.answers = message.Sender, nil
	case message.Type == "method_return" && message.Destination == b.systole:
		b.answers = append(b.answers, time.UnixMicro(message.At))
	}
}

// answered is when systemd answered systole, of all times the nearest to an
// instant: the bystander may hear it a little earlier or later than systole.
func (b *bus) answered(near time.Time) (at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range b.answers {
		if at.IsZero() || a.Sub(near).Abs() < at.Sub(near).Abs() {
			at = a
		}
	}
	return at
}
