package lab

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestLinks(t *testing.T) {
	t.Parallel()
	l := New(t, WithSerial(SerialLine{Baud: 9600}))
	alpha, beta := l.Node("alpha"), l.Node("beta")

	t.Run("a cut one way is one way, on one network", func(t *testing.T) {
		for _, d := range []Direction{In, Out} {
			must(t, alpha.Cut(Private, d))
			want := map[string]bool{"in": d == In, "out": d == Out}
			got := map[string]bool{"in": heard(t, alpha, beta, Private), "out": heard(t, beta, alpha, Private)}
			// What alpha may still do is the direction that was not cut.
			if got["in"] == want["in"] || got["out"] == want["out"] {
				t.Errorf("cut %s: frames arrive %v", d, got)
			}
			if !heard(t, alpha, beta, Service) || !heard(t, beta, alpha, Service) {
				t.Errorf("cut %s: the other network is cut, too", d)
			}
			must(t, alpha.Heal(Private))
			if !heard(t, alpha, beta, Private) || !heard(t, beta, alpha, Private) {
				t.Errorf("cut %s: not healed", d)
			}
		}
	})
	t.Run("parted one way from one host is heard by another", func(t *testing.T) {
		must(t, l.Part(Service, "alpha", "beta"))
		if heard(t, beta, alpha, Service) || !heard(t, alpha, beta, Service) {
			t.Error("alpha to beta is parted: want frames to arrive the other way only")
		}
		client(t, l, "ping", "-c1", "-W2", alpha.Host(Service).String())
		must(t, l.Join(Service, "alpha", "beta"))
		if !heard(t, beta, alpha, Service) {
			t.Error("not joined")
		}
	})
	t.Run("a fraction of the frames is lost", func(t *testing.T) {
		// 0.3 each way is 1-0.7² of the pings; 500 of them have a standard
		// deviation of 0.022, so 0.11 is missed once in two million runs.
		must(t, alpha.Lose(Private, Both, 0.3))
		out, _ := alpha.Run(deadline(t, patience), "ping", "-q", "-c500", "-i0.002", "-W1", beta.Host(Private).String())
		if got, want := pingLoss(t, out), 1-0.7*0.7; math.Abs(got-want) > 0.11 {
			t.Errorf("lost %.3f, want about %.3f", got, want)
		}
		must(t, alpha.Heal(Private))
	})
	t.Run("frames are delayed", func(t *testing.T) {
		for _, delay := range []time.Duration{10 * time.Millisecond, 50 * time.Millisecond} {
			must(t, alpha.Delay(Private, delay))
			// The first ping waits for an answer to an ARP request, too.
			succeeds(t, alpha, "ping", "-c1", "-W2", beta.Host(Private).String())
			got, want := roundTrip(t, alpha, beta.Host(Private).String()), 2*delay
			if off := (got - want).Abs(); off > want/20 {
				t.Errorf("round trip %v, want %v within 5 %%", got, want)
			}
			t.Logf("delay of %v each way: shortest round trip %v", delay, got)
		}
		must(t, alpha.Cut(Private, Out))
		if heard(t, beta, alpha, Private) {
			t.Error("a delayed cable is not cut")
		}
		must(t, alpha.Heal(Private))
		must(t, alpha.Delay(Private, 0))
		if got := roundTrip(t, alpha, beta.Host(Private).String()); got > 5*time.Millisecond {
			t.Errorf("round trip %v after the delay was undone", got)
		}
	})
	t.Run("a cable without carrier is seen by its own node only", func(t *testing.T) {
		must(t, alpha.Carrier(Service, false))
		carrier(t, alpha, "0 1")
		carrier(t, beta, "1 1")
		must(t, alpha.Carrier(Service, true))
		carrier(t, alpha, "1 1")
	})
	t.Run("a serial line carries bytes both ways at its own pace", func(t *testing.T) { testSerial(t, alpha, beta) })
}

// heard says whether a frame from one node reaches another: an ARP request, as
// its answer would need the way back. The receiver's kernel notes the sender.
func heard(t *testing.T, to, from *Node, network Network) bool {
	t.Helper()
	succeeds(t, to, "ip", "neighbour", "flush", "dev", network.Device())
	succeeds(t, from, "ip", "neighbour", "flush", "dev", network.Device())
	_, _ = from.Run(deadline(t, patience), "ping", "-c1", "-W0.1", to.Host(network).String())
	return strings.Contains(succeeds(t, to, "ip", "neighbour", "show", from.Host(network).String(), "dev", network.Device()), "lladdr")
}

func pingLoss(t *testing.T, out string) float64 {
	t.Helper()
	match := regexp.MustCompile(`([0-9.]+)% packet loss`).FindStringSubmatch(out)
	if match == nil {
		t.Fatalf("no loss in:\n%s", out)
	}
	percent, err := strconv.ParseFloat(match[1], 64)
	must(t, err)
	return percent / 100
}

// roundTrip is the shortest of 25 round trips: what else the machine does makes
// some longer, and none shorter.
func roundTrip(t *testing.T, from *Node, to string) time.Duration {
	t.Helper()
	out := succeeds(t, from, "ping", "-c25", "-i0.02", "-W2", to)
	var times []time.Duration
	for _, match := range regexp.MustCompile(`time=([0-9.]+) ms`).FindAllStringSubmatch(out, -1) {
		took, err := time.ParseDuration(match[1] + "ms")
		must(t, err)
		times = append(times, took)
	}
	if len(times) == 0 {
		t.Fatalf("no times in:\n%s", out)
	}
	return slices.Min(times)
}

// carrier waits for the carriers of eth0 and eth1 as the node sees them.
func carrier(t *testing.T, n *Node, want string) {
	t.Helper()
	must(t, WaitFor(deadline(t, patience), "carriers of "+n.Name()+" to be "+want, func(ctx context.Context) error {
		out, err := n.Run(ctx, "cat", "/sys/class/net/eth0/carrier", "/sys/class/net/eth1/carrier")
		if got := strings.Join(strings.Fields(out), " "); err == nil && got != want {
			err = fmt.Errorf("they are %s", got)
		}
		return err
	}))
}

func testSerial(t *testing.T, alpha, beta *Node) {
	// 960 bytes take a second at 9600 baud; both ways at once they take no more.
	const baud, size = 9600, 480
	text := strings.Repeat("0123456789abcdef", size/16)
	start := time.Now()
	readers := map[*Node]*exec.Cmd{alpha: read(t, alpha, size), beta: read(t, beta, size)}
	for _, n := range []*Node{alpha, beta} {
		write(t, n, text)
	}
	for n, reader := range readers {
		must(t, reader.Wait())
		if got := reader.Stdout.(*bytes.Buffer).String(); got != text {
			t.Errorf("%s read %q, want %q", n.Name(), got, text)
		}
	}
	took, want := time.Since(start), time.Second*size*10/baud
	// The upper bound leaves a busy machine a second to start the commands.
	if took < want || took > want+time.Second {
		t.Errorf("%d bytes took %v, want %v and the starts of four commands", size, took, want)
	}
	t.Logf("%d bytes each way took %v, of which the line %v", size, took, want)

	must(t, alpha.Cut(Serial, Out))
	write(t, alpha, "lost")
	write(t, beta, "arrives")
	reader := read(t, alpha, 7)
	must(t, reader.Wait())
	must(t, alpha.Heal(Serial))
	write(t, alpha, "healed")
	reader = read(t, beta, 6)
	must(t, reader.Wait())
	if got := reader.Stdout.(*bytes.Buffer).String(); got != "healed" {
		t.Errorf("after a cut beta read %q, want what was sent after it", got)
	}
}

// read starts to read so many bytes of a node's serial line.
func read(t *testing.T, n *Node, size int) *exec.Cmd {
	t.Helper()
	cmd, err := n.Command(deadline(t, patience), "head", "-c", strconv.Itoa(size), "/dev/ttyS9")
	must(t, err)
	cmd.Stdout = new(bytes.Buffer)
	must(t, cmd.Start())
	return cmd
}

func write(t *testing.T, n *Node, text string) {
	t.Helper()
	cmd, err := n.Command(deadline(t, patience), "sh", "-c", "cat >/dev/ttyS9")
	must(t, err)
	stdin, err := cmd.StdinPipe()
	must(t, err)
	must(t, cmd.Start())
	_, err = io.WriteString(stdin, text)
	must(t, err)
	must(t, stdin.Close())
	must(t, cmd.Wait())
}
