package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/agent/sim"
	"github.com/systole-ha/systole/agent/takeover"
	"github.com/systole-ha/systole/resources"
)

var updateStreams = flag.Bool("update-streams", false, "rewrite the event streams that the exporters' tests read")

// streams are where the tests of exporters, which see nothing of the agent but
// its events, find what two nodes report.
const streams = "../../exporters/traces/testdata"

// A line is one record of a stream.
type line struct {
	Time  time.Time   `json:"time"`
	Node  string      `json:"node"`
	Kind  string      `json:"kind"`
	Event event.Event `json:"event"`
}

// TestStreams plays incidents and holds what both nodes report against the
// streams that were recorded.
func TestStreams(t *testing.T) {
	for name, play := range map[string]func(w *sim.World){
		// The first of two tries fails; then the node is off, and replaced.
		"fenced": func(w *sim.World) {
			tries := 0
			w.Fencer = func(*sim.Node, takeover.Fence) sim.Try {
				if tries++; tries == 1 {
					return sim.Try{Answer: 3 * time.Second, Err: sim.ErrBroken}
				}
				return sim.Try{Hits: true, Off: 1300 * time.Millisecond, Answer: 1500 * time.Millisecond}
			}
			w.Node("alpha").Freeze()
			pass(w, 25*time.Second)
		},
		"power_off": func(w *sim.World) {
			w.Node("alpha").PowerOff()
			pass(w, 12*time.Second)
		},
		"comes_back": func(w *sim.World) {
			w.Node("alpha").PowerOff()
			pass(w, 12*time.Second)
			w.Node("alpha").Boot()
			pass(w, 8*time.Second)
		},
		"late": func(w *sim.World) {
			w.Node("alpha").Freeze()
			pass(w, 7*time.Second)
			w.Node("alpha").Thaw()
			pass(w, 3*time.Second)
		},
		"freeze_and_thaw": func(w *sim.World) {
			w.Node("alpha").Freeze()
			pass(w, 20*time.Second)
			w.Node("alpha").Thaw()
			pass(w, 3*time.Second)
		},
		"cut_and_heal": func(w *sim.World) {
			w.Cut(0, "alpha", "beta")
			w.Cut(0, "beta", "alpha")
			pass(w, 15*time.Second)
			w.Mend(0, "alpha", "beta")
			w.Mend(0, "beta", "alpha")
			pass(w, 3*time.Second)
		},
		"deaf": func(w *sim.World) {
			w.Cut(0, "alpha", "beta")
			pass(w, 15*time.Second)
		},
		"standby": func(w *sim.World) {
			w.Node("alpha").Request("standby", "all", nil)
			pass(w, 3*time.Second)
		},
		"clean_stop": func(w *sim.World) {
			w.Node("alpha").Stop()
			pass(w, 3*time.Second)
		},
		"failed_start": func(w *sim.World) {
			w.Node("beta").Fails = func(op takeover.Operation, r takeover.Resource) error {
				if op == takeover.Start && r.Spec.String() == "web.service" {
					return sim.ErrBroken
				}
				return nil
			}
			w.Node("alpha").PowerOff()
			pass(w, 12*time.Second)
		},
		"failed_stop": func(w *sim.World) {
			broken := true
			w.Node("alpha").Fails = func(op takeover.Operation, r takeover.Resource) error {
				if broken && op == takeover.Stop && r.Spec.String() == "web.service" {
					return sim.ErrBroken
				}
				return nil
			}
			w.Node("alpha").Request("standby", "local", nil)
			pass(w, 2*time.Second)
			broken = false
			pass(w, 3*time.Second)
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := record(t, name == "fenced", play)
			file := filepath.Join(streams, name+".jsonl")
			if *updateStreams {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s: nodes report something else now (go test -update-streams rewrites it)\n got\n%s\nwant\n%s", file, got, want)
			}
		})
	}
}

func pass(w *sim.World, d time.Duration) { w.RunUntil(w.Now.Add(d)) }

// record boots two nodes with a group each, waits for 60 s, plays, and returns
// what they reported but samples.
func record(t *testing.T, fences bool, play func(*sim.World)) []byte {
	cluster := sim.Cluster{
		Nodes: []string{"alpha", "beta"}, Links: []string{"eth0"},
		Keepalive: time.Second, Deadtime: 10 * time.Second, Initdead: 20 * time.Second, AutoFailback: true,
		Groups: []takeover.Group{group(t, "alpha", "192.0.2.10/24/eth0", "web.service"), group(t, "beta", "192.0.2.20/24/eth0", "mail.service")},
	}
	if fences {
		cluster.Configure = func(_ *sim.Node, c *core.Config) {
			c.Fence = &takeover.FencePlan{Levels: [][]string{{"ipmi"}}, Action: "off", Delay: time.Second, Retry: 30 * time.Second, Tries: 2}
		}
	}
	w := sim.New(1, cluster)
	w.Link(0).Jitter = 0
	for _, n := range w.Nodes {
		n.StartTook = func(r takeover.Resource) time.Duration {
			if r.Announced {
				return time.Millisecond
			}
			return 100 * time.Millisecond
		}
		n.StopTook = n.StartTook
	}
	var report bytes.Buffer
	lines := json.NewEncoder(&report)
	w.Watch = func(n *sim.Node, e event.Event) {
		if event.SeverityOf(e) == event.Sample {
			return
		}
		if err := lines.Encode(line{w.Now, n.Name, e.Kind(), e}); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range w.Nodes {
		n.Boot()
	}
	pass(w, time.Minute)
	play(w)
	return report.Bytes()
}

func group(t *testing.T, preferred string, words ...string) takeover.Group {
	g := takeover.Group{Preferred: preferred}
	for _, word := range words {
		spec, err := resources.ParseSpec(word)
		if err != nil {
			t.Fatal(err)
		}
		r := takeover.Resource{Spec: spec, Driver: "systemd"}
		if spec.Name == "IPaddr" {
			r.Driver, r.Announced = "ipaddr", true
		}
		g.Resources = append(g.Resources, r)
	}
	return g
}
