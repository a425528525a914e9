package core_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/agent/permission"
	"github.com/systole-ha/systole/agent/sim"
	"github.com/systole-ha/systole/agent/takeover"
	"github.com/systole-ha/systole/resources"
)

var update = flag.Bool("update", false, "rewrite the transcripts")

// TestTranscripts plays every file of testdata: what is done to a cluster above
// the line, what each node reports below it.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no transcripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			script, want, found := strings.Cut(string(text), "----\n")
			if !found {
				t.Fatalf("%s has no line of dashes", file)
			}
			got := play(t, script)
			if *update {
				if err := os.WriteFile(file, []byte(script+"----\n"+got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != want {
				t.Errorf("%s: the history differs (go test -update rewrites it)\n got\n%s\nwant\n%s", file, got, want)
			}
		})
	}
}

// A stage is one transcript being played.
type stage struct {
	t       *testing.T
	cluster sim.Cluster
	world   *sim.World
	report  strings.Builder
}

func play(t *testing.T, script string) string {
	s := &stage{t: t, cluster: sim.Cluster{Links: []string{"eth0"}, Keepalive: time.Second, Deadtime: 10 * time.Second, Initdead: 20 * time.Second}}
	for number, line := range strings.Split(script, "\n") {
		line, _, _ = strings.Cut(line, "#")
		if words := strings.Fields(line); len(words) > 0 {
			if err := s.do(words); err != nil {
				t.Fatalf("line %d: %s: %v", number+1, line, err)
			}
		}
	}
	return s.report.String()
}

func (s *stage) do(words []string) error {
	verb, args := words[0], words[1:]
	switch verb {
	case "cluster":
		return s.describe(args)
	case "group":
		return s.addGroup(args)
	}
	if s.world == nil {
		s.open()
	}
	w := s.world
	switch verb {
	case "run":
		d, err := time.ParseDuration(args[0])
		w.RunUntil(w.Now.Add(d))
		return err
	case "boot", "power-off", "kill", "stop", "freeze", "thaw":
		for _, name := range args {
			n := w.Node(name)
			map[string]func(){"boot": n.Boot, "power-off": n.PowerOff, "kill": n.Kill, "stop": n.Stop, "freeze": n.Freeze, "thaw": n.Thaw}[verb]()
		}
	case "restart": // restart NODE AWAY
		away, err := time.ParseDuration(args[1])
		w.Node(args[0]).Restart(away)
		return err
	case "cut", "mend": // cut LINK FROM TO
		act := map[string]func(int, string, string){"cut": w.Cut, "mend": w.Mend}[verb]
		for i, link := range s.cluster.Links {
			if args[0] == link || args[0] == "all" {
				for _, from := range s.cluster.Nodes {
					for _, to := range s.cluster.Nodes {
						if len(args) == 1 || args[1] == from && args[2] == to {
							act(i, from, to)
						}
					}
				}
			}
		}
	case "standby", "takeover":
		w.Node(args[0]).Request(verb, args[1], func(r takeover.Reply) {
			fmt.Fprintf(&s.report, "%s %s answers %s %s: accepted=%v %s\n", s.at(), args[0], verb, args[1], r.Accepted, r.Reason)
		})
	case "carrier": // carrier NODE lost|back [LINK that goes with it]
		n := w.Node(args[0])
		n.Carrier(args[1] == "lost", args[2:]...)
	case "reach", "miss": // reach|miss NODE PING-NODE
		w.Node(args[0]).Reach(args[1], verb == "reach")
	case "devices": // devices work, or fail
		works := args[0] == "work"
		w.Fencer = func(*sim.Node, takeover.Fence) sim.Try {
			if works {
				return sim.Try{Hits: true, Off: 1300 * time.Millisecond, Answer: 1500 * time.Millisecond}
			}
			return sim.Try{Answer: 3 * time.Second, Err: errors.New("the device is not reachable")}
		}
	case "arbiter": // arbiter NAME down|up
		for _, a := range w.Arbiters {
			if a.Name == args[0] {
				a.Down = args[1] == "down"
			}
		}
	case "fence", "confirm": // fence ON NODE
		w.Node(args[0]).Request(verb, args[1], func(r takeover.Reply) {
			fmt.Fprintf(&s.report, "%s %s answers %s %s: accepted=%v %s\n", s.at(), args[0], verb, args[1], r.Accepted, r.Reason)
		})
	case "remove": // remove NODE RESOURCE, behind its back
		w.Node(args[0]).Steal(args[1])
	case "break", "repair": // break NODE RESOURCE [OPERATION]
		s.breakDown(verb == "break", args)
	case "who":
		for i, g := range s.cluster.Groups {
			var holders []string
			for _, n := range w.Nodes {
				if n.Holds(i) {
					holders = append(holders, n.Name)
				}
			}
			fmt.Fprintf(&s.report, "%s %s is held by [%s]\n", s.at(), g.Key(), strings.Join(holders, " "))
		}
	default:
		return fmt.Errorf("unknown verb %s", verb)
	}
	return nil
}

func (s *stage) describe(args []string) error {
	for _, arg := range args {
		name, value, isSetting := strings.Cut(arg, "=")
		if !isSetting {
			s.cluster.Nodes = append(s.cluster.Nodes, name)
			continue
		}
		switch name {
		case "auto_failback":
			s.cluster.AutoFailback = value == "on"
			continue
		case "pings":
			s.cluster.Pings = strings.Split(value, ",")
			continue
		case "links":
			s.cluster.Links = strings.Split(value, ",")
			continue
		case "fence": // levels by /, devices of a level by +
			plan := &takeover.FencePlan{Action: "off", Delay: 5 * time.Second, Retry: 30 * time.Second, Tries: 2}
			for level := range strings.SplitSeq(value, "/") {
				plan.Levels = append(plan.Levels, strings.Split(level, "+"))
			}
			s.cluster.Configure = func(_ *sim.Node, c *core.Config) {
				plan.First = s.cluster.Policy == permission.Peer
				c.Fence = plan
			}
			continue
		case "permission":
			s.cluster.Policy = permission.Policy(value)
			continue
		case "arbiters":
			s.cluster.Arbiters = strings.Split(value, ",")
			continue
		case "on_failure":
			before := s.cluster.Configure
			s.cluster.Configure = func(n *sim.Node, c *core.Config) { before(n, c); c.Fence.Addresses = value == "addresses" }
			continue
		}
		d, err := time.ParseDuration(value)
		if err != nil {
			return err
		}
		switch name {
		case "keepalive":
			s.cluster.Keepalive = d
		case "deadtime":
			s.cluster.Deadtime = d
		case "initdead":
			s.cluster.Initdead = d
		default:
			return fmt.Errorf("unknown setting %s", name)
		}
	}
	return nil
}

func (s *stage) addGroup(args []string) error {
	g := takeover.Group{Preferred: args[0]}
	for _, word := range args[1:] {
		spec, err := resources.ParseSpec(word)
		if err != nil {
			return err
		}
		r := takeover.Resource{Spec: spec, Driver: "systemd"}
		if strings.HasPrefix(spec.Name, "IPaddr") {
			r.Driver, r.Announced = "ipaddr", true
		}
		g.Resources = append(g.Resources, r)
	}
	s.cluster.Groups = append(s.cluster.Groups, g)
	return nil
}

func (s *stage) open() {
	s.world = sim.New(1, s.cluster)
	for _, n := range s.world.Nodes {
		n.StartTook = func(r takeover.Resource) time.Duration {
			if r.Announced {
				return time.Millisecond
			}
			return 100 * time.Millisecond
		}
		n.StopTook = n.StartTook
	}
	for i := range s.cluster.Links {
		s.world.Link(i).Jitter = 0
	}
	s.world.Watch = func(n *sim.Node, e event.Event) {
		if o, ok := e.(event.ResourceOperation); ok && (o.Operation == "status" || o.Operation == "announce") {
			return
		}
		if event.SeverityOf(e) > event.Sample {
			fmt.Fprintf(&s.report, "%s %s %s\n", s.at(), n.Name, told(e))
		}
	}
	s.world.Check = func(n *sim.Node) {
		if d := n.Disagreement(); d != "" {
			s.t.Errorf("%s %s: %s", s.at(), n.Name, d)
		}
	}
}

// told is an event without the trace that the beginning of its move has said.
func told(e event.Event) string {
	text := event.Text(e)
	switch e.(type) {
	case event.TakeoverPhase, event.TakeoverCompleted, event.TakeoverFailed, event.ReleaseCompleted,
		event.ResourceOperation, event.ResourceFailed:
		text, _, _ = strings.Cut(text, " trace=") // their last field
	}
	return text
}

func (s *stage) breakDown(broken bool, args []string) {
	n := s.world.Node(args[0])
	operation := takeover.Start
	if len(args) > 2 {
		operation = takeover.Operation(args[2])
	}
	fails := n.Fails
	n.Fails = func(op takeover.Operation, r takeover.Resource) error {
		if op == operation && r.Spec.String() == args[1] {
			if broken {
				return sim.ErrBroken
			}
			return nil
		}
		return fails(op, r)
	}
}

func (s *stage) at() string { return s.world.Elapsed() }
