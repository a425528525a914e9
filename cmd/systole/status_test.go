package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/control"
	"github.com/systole-ha/systole/agent/control/controltest"
	"github.com/systole-ha/systole/agent/event"
)

var updateStatus = flag.Bool("update-status", false, "rewrite the golden files of systole status")

// startDaemon runs a daemon in memory for a test.
func startDaemon(t *testing.T, d *controltest.Daemon) *controltest.Daemon {
	t.Helper()
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Stop(); err != nil {
			t.Errorf("the control server ended with %v", err)
		}
	})
	return d
}

// seconds is some seconds, as a Status has them.
func seconds(s float64) control.Seconds { return control.Seconds(s * float64(time.Second)) }

func some(s float64) *control.Seconds { v := seconds(s); return &v }

// ago is an instant before the pictures below.
func ago(s float64) time.Time { return controltest.Now.Add(-time.Duration(seconds(s))) }

// quiet is a pair of nodes with nothing to report.
func quiet() control.Status {
	return control.Status{
		Protocol: 1, Time: controltest.Now, Sequence: 12, Cluster: "web", Node: "alpha", Version: "0.1.0", Generation: 42,
		Started: ago(7200), State: "active", Keepalive: seconds(1), Warntime: seconds(5), Deadtime: seconds(10),
		Hold: "local", Stable: true, Readiness: []control.Check{{Check: "disk", Ready: true, Reason: "/var/lib/systole takes what is written", Since: ago(7190)}},
		Links: []control.Link{{Link: "eth0", Medium: "bcast", Open: true}, {Link: "eth1", Medium: "ucast", Open: true}},
		Nodes: []control.Member{
			{Node: "alpha", Self: true, Type: "normal", State: "active", Heard: true,
				Links: []control.MemberLink{{Link: "eth0", Up: true}, {Link: "eth1"}}},
			{Node: "beta", Type: "normal", State: "active", Heard: true, LastHeard: ago(.4), Wire: "systole", Version: "0.1.0",
				Silence: some(.4), Deadtime: seconds(10), Margin: some(9.6), Links: []control.MemberLink{
					{Link: "eth0", Up: true, Silence: some(.4), RoundTrip: seconds(.00031)},
					{Link: "eth1", Up: true, Silence: some(.4), RoundTrip: seconds(.0124)}}},
			{Node: "192.0.2.1", Type: "ping", State: "ping", Heard: true, Silence: some(.7), Margin: some(9.3), RoundTrip: seconds(.00012)},
		},
		Groups: []control.Group{
			{Group: "IPaddr::192.0.2.10/24/eth0", Preferred: "alpha", State: "running", Holders: []string{"alpha"}, Since: ago(7200),
				Resources: []control.Resource{{Resource: "IPaddr::192.0.2.10/24/eth0", Driver: "ipaddr"}, {Resource: "nginx", Driver: "systemd"}}},
			{Group: "192.0.2.20", Preferred: "beta", State: "stopped", Holders: []string{"beta"},
				Resources: []control.Resource{{Resource: "192.0.2.20", Driver: "ipaddr"}}},
		},
		Takeovers: []control.Takeover{},
	}
}

// death is a pair of nodes of which one has died, after two earlier takeovers.
func death() control.Status {
	st := quiet()
	st.Hold = "all"
	beta := &st.Nodes[1]
	beta.State, beta.Silence, beta.Margin, beta.Wire = "dead", some(73.2), nil, "heartbeat3"
	beta.Links = []control.MemberLink{{Link: "eth0", Silence: some(73.2)}, {Link: "eth1", Silence: some(3723)}}
	st.Groups[1].Holders, st.Groups[1].State, st.Groups[1].Since = []string{"alpha"}, "running", ago(63.1)
	st.Takeovers = []control.Takeover{
		{ID: 1, Trigger: "start", Groups: []string{"a"}, Started: ago(7200), Finished: ago(7199), Result: "success", Took: seconds(.04)},
		{ID: 2, Trigger: "start", Groups: []string{"IPaddr::192.0.2.10/24/eth0"}, Started: ago(7200), Finished: ago(7199.9),
			Result: "success", Took: seconds(.10105),
			Phases: []control.Phase{{Phase: "address", Took: seconds(.001)}, {Phase: "announce", Took: seconds(.00005)},
				{Phase: "services", Took: seconds(.09995)}, {Phase: "verify", Took: seconds(.00005)}}},
		{ID: 4, Trigger: "peer_left", Peer: "beta", Groups: []string{"192.0.2.20", "x"}, Started: ago(3600), Finished: ago(3590),
			Result: "partial", Took: seconds(10), Outage: seconds(10.2),
			Phases:   []control.Phase{{Phase: "address"}, {Phase: "announce"}, {Phase: "services", Took: seconds(4)}, {Phase: "verify", Took: seconds(6)}},
			Failures: []control.Failure{{Group: "x", Resource: "mysql", Error: "start mysql: unit failed", Next: "tried again in 60 s"}, {Group: "x", Resource: "y", Error: "late"}}},
		{ID: 5, Trigger: "peer_dead", Peer: "beta", Groups: []string{"192.0.2.20"}, Started: ago(63.2), Finished: ago(63.1),
			Result: "success", Took: seconds(.101), Outage: seconds(10.101),
			Phases: []control.Phase{{Phase: "silence", Took: seconds(9.9)}, {Phase: "confirm", Took: seconds(.1)},
				{Phase: "address", Took: seconds(.001)}, {Phase: "announce"}, {Phase: "services", Took: seconds(.1)}, {Phase: "verify"}}},
	}
	return st
}

// trouble is everything that wants attention at once.
func trouble() control.Status {
	st := quiet()
	st.Hold, st.Stable = "transition", false
	st.StandbySince = ago(1080)
	st.SplitBrain = &control.SplitBrain{Since: ago(12.5), Evidence: "peer_claims", Peer: "beta", Groups: []string{"192.0.2.10"}}
	st.Links[1] = control.Link{Link: "eth1", Medium: "ucast", Error: "no such device"}
	st.Links[0].Open = false
	st.Nodes[1].Links[1] = control.MemberLink{Link: "eth1", Silence: some(41)}
	st.Readiness = append(st.Readiness, control.Check{Check: "units_loadable", Reason: "nginx.service is masked", Since: ago(30)})
	st.Pending = []control.Pending{{File: "ha.cf", Error: "ha.cf:3: no such directive", Since: ago(20)}, {File: "haresources", Since: ago(20)}, {File: "authkeys", Since: ago(10)}}
	st.Nodes[1].ConfigDrift = []string{"ha.cf", "haresources"}
	st.Nodes[2].State, st.Nodes[2].Heard, st.Nodes[2].Silence, st.Nodes[2].Margin = "unknown", false, nil, some(-.5)
	st.Groups[0].Holders = []string{"alpha", "beta"}
	st.Groups[1].Holders, st.Groups[1].State, st.Groups[1].Failure = []string{}, "failed", "start 192.0.2.20: no such device"
	st.Takeovers = []control.Takeover{
		{ID: 7, Trigger: "failback", Peer: "beta", Groups: []string{"192.0.2.20"}, Started: ago(1.25)},
	}
	return st
}

func TestStatusPage(t *testing.T) {
	moving := trouble()
	moving.Activity = "taking groups from beta"
	for _, tt := range []struct {
		file  string
		st    control.Status
		o     statusOptions
		width int
	}{
		{file: "status_quiet.txt", st: quiet(), width: 80},
		{file: "status_death.txt", st: death(), width: 80},
		{file: "status_death_wide.txt", st: death(), width: 200},
		{file: "status_death_narrow.txt", st: death(), width: 40},
		{file: "status_trouble.txt", st: trouble(), width: 80},
		{file: "status_moving.txt", st: moving, width: 80},
		{file: "status_quiet.json", st: quiet(), o: statusOptions{json: true}},
	} {
		t.Run(tt.file, func(t *testing.T) {
			got := statusPage(tt.st, tt.o, tt.width)
			path := filepath.Join("testdata", tt.file)
			if *updateStatus {
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s:\n got\n%s\nwant\n%s", tt.file, got, want)
			}
			for line := range strings.Lines(string(got)) {
				if n := len([]rune(line)) - 1; tt.width > 0 && n > tt.width {
					t.Errorf("a line of %d characters: %s", n, line)
				}
			}
		})
	}
}

func TestFrame(t *testing.T) {
	page := []byte("one\ntwo\nthree\n")
	for _, tt := range []struct {
		name   string
		screen screen
		first  bool
		want   string
	}{
		{name: "the first clears the terminal", screen: screen{terminal: true, height: 24}, first: true, want: "\x1b[2J\x1b[H\x1b[Kone\n\x1b[Ktwo\n\x1b[Kthree\n\x1b[J"},
		{name: "others draw over it", screen: screen{terminal: true, height: 3}, want: "\x1b[H\x1b[Kone\n\x1b[Ktwo\n\x1b[Kthree"},
		{name: "no more than fits", screen: screen{terminal: true, height: 2}, want: "\x1b[H\x1b[Kone\n\x1b[K... 2 more lines"},
		{name: "a terminal that does not know its height shows all", screen: screen{terminal: true}, want: "\x1b[H\x1b[Kone\n\x1b[Ktwo\n\x1b[Kthree\n\x1b[J"},
		{name: "a file gets pages", screen: screen{}, first: true, want: "one\ntwo\nthree\n"},
		{name: "with a line between them", screen: screen{}, want: "\none\ntwo\nthree\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(tt.screen.frame(bytes.Clone(page), tt.first)); got != tt.want {
				t.Errorf("frame:\n got %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestRunStatus(t *testing.T) {
	d := startDaemon(t, &controltest.Daemon{Snapshot: controltest.Pair(), Nodes: controltest.PairNodes()})
	d.Emit(time.Second, event.LinkOpened{Link: "eth0", Medium: "bcast"})
	var out, errs strings.Builder
	if code := runStatus(d.Socket, statusOptions{}, &out, &errs); code != 0 || errs.String() != "" {
		t.Errorf("exits %d, says %s", code, errs.String())
	}
	if want := "2026-11-21 20:38:13  cluster web, node alpha is active and holds local groups\n"; !strings.HasPrefix(out.String(), want) {
		t.Errorf("page:\n got %s\nwant %s", out.String(), want)
	}

	out.Reset()
	if code := runStatus(d.Socket, statusOptions{json: true}, &out, &errs); code != 0 {
		t.Errorf("--json exits %d, says %s", code, errs.String())
	}
	want, err := control.At(d.Socket).Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got control.Status
	if err := json.Unmarshal([]byte(out.String()), &got); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("--json, %v:\n got %+v\nwant %+v", err, got, want)
	}
}

func TestRunStatusWithoutADaemon(t *testing.T) {
	var out, errs strings.Builder
	code := runStatus("/run/systole/nowhere.sock", statusOptions{}, &out, &errs)
	if want := "systole: systole is not running (no /run/systole/nowhere.sock)\n"; code != 1 || out.String() != "" || errs.String() != want {
		t.Errorf("exits %d, prints %q, says %q; want 1, nothing, %q", code, out.String(), errs.String(), want)
	}
}

// frames counts pages and ends the watch at the second.
type frames struct {
	pages  []string
	enough func()
}

func (f *frames) Write(b []byte) (int, error) {
	f.pages = append(f.pages, string(b))
	if len(f.pages) == 2 {
		f.enough()
	}
	return len(b), nil
}

func TestWatchStatus(t *testing.T) {
	d := &controltest.Daemon{Snapshot: controltest.Pair(), Nodes: controltest.PairNodes()}
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	f := &frames{enough: cancel}
	stopped := false
	watchStatus(ctx, control.At(d.Socket), statusOptions{}, writerFunc(func(b []byte) (int, error) {
		if !stopped { // the daemon goes behind the first page
			stopped = true
			if err := d.Stop(); err != nil {
				t.Error(err)
			}
		}
		return f.Write(b)
	}))
	if len(f.pages) != 2 || !strings.Contains(f.pages[0], "node alpha is active") || !strings.Contains(f.pages[1], "systole is not running") {
		t.Errorf("pages: %q", f.pages)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }
