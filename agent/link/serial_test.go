package link

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/systole-ha/systole/agent/wire"
	"github.com/systole-ha/systole/resources/nstest"
)

func TestSerialLine(t *testing.T) {
	for baud := range rates {
		t.Run(fmt.Sprint(baud), func(t *testing.T) {
			t.Parallel()
			left, right := serialPair(t, baud)
			left.send(0, "from the left")
			right.send(0, "from the right")
			atRight, atLeft := right.await(1)[0], left.await(1)[0]
			if got, want := []string{atRight.Text, atLeft.Text}, []string{"from the left", "from the right"}; !slices.Equal(got, want) {
				t.Errorf("heard %q, want %q", got, want)
			}
			if atRight.Source.IsValid() || atRight.At.After(atRight.Read) || atRight.Key != 1 {
				t.Errorf("heard %+v, want no source, key 1, arrival before reading", atRight)
			}
			if got := left.links[0].Stats(); got.Sent != 1 || got.SentBytes < 100 || got.Received != 1 {
				t.Errorf("stats %+v, want one packet sent and one received", got)
			}
		})
	}
}

// On a line that carries three heartbeats a second out of a hundred sent, those
// that arrive are new, and other messages all arrive.
func TestSlowLineCarriesNoOldHeartbeats(t *testing.T) {
	const baud = 9600
	left, right := serialPair(t, baud)
	size := len(left.packet("100", wire.Classic))
	sent := map[string]time.Time{}
	tick := time.NewTicker(keepalive)
	defer tick.Stop()
	for i := range 150 {
		text := fmt.Sprint(i)
		sent[text] = time.Now()
		left.send(0, text)
		if i == 50 || i == 60 {
			m := wire.New("t", "resource", "info", "resource "+text, "src", "alpha", "seq", "1")
			must(t, left.links[0].Send(left.codec.Append(nil, &m, wire.Classic)))
		}
		<-tick.C
	}
	heard := right.await(1 + int(150*keepalive/lineTime(size, baud)))
	t.Logf("%d of 150 heartbeats of %d bytes heard: %v", len(heard)-2, size, said(heard))
	var resources []string
	for _, h := range heard {
		if strings.HasPrefix(h.Text, "resource") {
			resources = append(resources, h.Text)
			continue
		}
		// It waits for at most what is on the line, and the messages before it.
		if age, most := h.Read.Sub(sent[h.Text]), 4*lineTime(size, baud); age > most {
			t.Errorf("heartbeat %s was %v old when it was read, want %v at most", h.Text, age, most)
		}
	}
	if want := []string{"resource 50", "resource 60"}; !slices.Equal(resources, want) {
		t.Errorf("other messages heard: %q, want %q", resources, want)
	}
}

// A line nobody reads at the other end is flushed, and carries new heartbeats
// once it moves again.
func TestStuckLine(t *testing.T) {
	a := newTTY(t)
	left := start(t, nil, a.medium(460800))
	left.awaitOpen()
	nstest.Await(t, "the line is stuck", func() bool {
		left.send(0, "old")
		return left.state(0) == "waiting stuck"
	})
	if got := left.links[0].Stats().SendErrors; got == 0 {
		t.Error("no send error was counted")
	}

	// What the other end has in hand is out of reach: 4096 bytes of a
	// pseudo-terminal. The 10 KB and more behind that are flushed.
	lines := make(chan string, 10_000)
	go func() {
		for scan := bufio.NewScanner(a.master); scan.Scan(); {
			lines <- scan.Text()
		}
		close(lines)
	}()
	nstest.Await(t, "the line moves", func() bool {
		left.send(0, "new")
		return left.state(0) == "open"
	})
	old := 0
	for line := range lines {
		if line == "info=new" {
			break
		}
		if line == "info=old" {
			old++
		}
	}
	if most := 4096/len(left.packet("old", wire.Classic)) + 1; old > most {
		t.Errorf("%d old heartbeats came, want %d at most", old, most)
	}
}

func TestSerialNoise(t *testing.T) {
	a := newTTY(t)
	left := start(t, nil, a.medium(115200))
	left.awaitOpen()
	good := left.packet("good", wire.Classic)
	write := func(all ...[]byte) {
		t.Helper()
		if _, err := a.master.Write(slices.Concat(all...)); err != nil {
			t.Fatal(err)
		}
	}
	write([]byte("login: \x00\xff"), good)        // noise without an end
	write(good[:len(good)/2], []byte("\n"), good) // a cable pulled and put back
	write([]byte(">>>\nt=status\n<<<\n"), good)   // no signature
	write([]byte(strings.Replace(string(good), "active", "dead", 1)), good)
	if got, want := said(left.await(4)), slices.Repeat([]string{left.links[0].Name() + "/0:good"}, 4); !slices.Equal(got, want) {
		t.Errorf("heard %v, want %v", got, want)
	}
	want := map[string]uint64{"malformed": 2, "bad_signature": 1, "unknown_key": 0, "oversize": 0}
	for reason, count := range left.links[0].Stats().Rejected {
		if count != want[reason] {
			t.Errorf("%d rejected as %s, want %d", count, reason, want[reason])
		}
	}
	write([]byte(">>>\n"), []byte(strings.Repeat("x", maxFrame/2)))
	write([]byte(strings.Repeat("x", maxFrame/2)), []byte("\n"), good)
	left.await(5)
	if got := left.links[0].Stats().Rejected["oversize"]; got != 1 {
		t.Errorf("%d rejected as oversize, want 1", got)
	}
}

func TestSerialDeviceComesAndGoes(t *testing.T) {
	a := newTTY(t)
	must(t, os.Remove(a.device))
	left := start(t, nil, a.medium(19200))
	left.awaitState(0, "waiting no_device")
	var refused *SendError
	if err := left.links[0].Send([]byte("x")); !errors.As(err, &refused) || refused.Reason != SendNoDevice {
		t.Errorf("Send without a device: %v, want reason %s", err, SendNoDevice)
	}
	for range 2 {
		a.plug(t)
		left.awaitState(0, "open")
		left.send(0, "beat")
		packet := left.packet("beat", wire.Classic)
		got := make([]byte, len(packet))
		if _, err := io.ReadFull(a.master, got); err != nil || string(got) != string(packet) {
			t.Errorf("the line carried %q, %v, want %q", got, err, packet)
		}
		must(t, os.Remove(a.device))
		must(t, a.master.Close())
		nstest.Await(t, "the line is missed", func() bool { return left.state(0) != "open" })
	}
}

func TestSerialDeviceIsOurs(t *testing.T) {
	a := newTTY(t)
	left := start(t, nil, a.medium(19200))
	left.awaitOpen()
	start(t, nil, a.medium(19200)).awaitState(0, "waiting in_use")

	slave, err := os.Open(a.device)
	must(t, err)
	defer slave.Close()
	settings, err := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
	must(t, err)
	if settings.Cflag&unix.CBAUD != unix.B19200 || settings.Lflag != 0 || settings.Oflag != 0 {
		t.Errorf("settings %+v, want raw at 19200", settings)
	}
}

func TestSerialDeviceIsNoLine(t *testing.T) {
	start(t, nil, Serial{Device: "/dev/null", Baud: 19200}).awaitState(0, "waiting other")
}

func TestSerialDrain(t *testing.T) {
	a := newTTY(t)
	left := start(t, nil, a.medium(115200))
	left.awaitOpen()
	unblock := left.block()
	defer unblock()
	write := func(text string) {
		_, err := a.master.Write(left.packet(text, wire.Classic))
		must(t, err)
	}
	write("0")
	left.await(1)
	write("1")
	write("2")
	name := left.links[0].Name()
	var drained []hearing // the kernel passes the bytes on when it gets round to it
	nstest.Await(t, "both are drained", func() bool {
		drained = append(drained, drain(left.links[0])...)
		return len(drained) >= 2
	})
	if got, want := said(drained), []string{name + "/0:1", name + "/0:2"}; !slices.Equal(got, want) {
		t.Errorf("drained %v, want %v", got, want)
	}
}

func TestSerialStamp(t *testing.T) {
	read := time.Now()
	tests := []struct {
		name   string
		behind int
		empty  time.Duration // before read
		want   time.Duration // before read
	}{
		{"the last frame arrived when it was read", 0, time.Minute, 0},
		{"one with a heartbeat of 240 bytes behind it, as long before as the line needs for that", 240, time.Minute, 125 * time.Millisecond},
		{"but not before the line was empty", 240, 100 * time.Millisecond, 100 * time.Millisecond},
	}
	for _, tt := range tests {
		s := &line{baud: 19200}
		s.read, s.empty = read, read.Add(-tt.empty)
		s.write(make([]byte, tt.behind))
		s.stamp()
		if got := read.Sub(s.at); got != tt.want {
			t.Errorf("%s: %v before it was read, want %v", tt.name, got, tt.want)
		}
	}
}
