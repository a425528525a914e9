package agent_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/systole-ha/systole/agent"
	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/agent/link"
	"github.com/systole-ha/systole/agent/link/linktest"
	"github.com/systole-ha/systole/agent/membership"
	"github.com/systole-ha/systole/agent/takeover"
	"github.com/systole-ha/systole/agent/wire"
	"github.com/systole-ha/systole/resources"
)

const (
	keepalive = time.Second
	deadtime  = 10 * time.Second
)

// A slow driver takes its time over a start and remembers what runs.
type slow struct {
	time.Duration
	mu      sync.Mutex
	running map[string]bool
}

func (d *slow) Start(ctx context.Context, s resources.Spec) error {
	select {
	case <-time.After(d.Duration):
	case <-ctx.Done():
		return ctx.Err()
	}
	d.set(s, true)
	return nil
}

func (d *slow) Stop(_ context.Context, s resources.Spec) error {
	d.set(s, false)
	return nil
}

func (d *slow) Status(_ context.Context, s resources.Spec) (resources.Status, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.running[s.String()] {
		return resources.Running, nil
	}
	return resources.Stopped, nil
}

func (d *slow) set(s resources.Spec, running bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.running[s.String()] = running
}

// A node is one agent in the bubble, and what it reported.
type node struct {
	*agent.Agent
	end    *linktest.End
	driver *slow
	kill   context.CancelFunc
	done   chan error
	mu     sync.Mutex
	events []event.Event
	left   core.Memory // for the next daemon
	beaten time.Time
	notes  int // how often it was told what to leave
}

func (n *node) remember(m core.Memory, beaten time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.left, n.beaten = m, beaten
	n.notes++
}

func (n *node) Record(r event.Record) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.events = append(n.events, r.Event)
}

func start(t *testing.T, bus *linktest.Bus, name, peer string, generation uint64, leasers ...resources.Leaser) *node {
	t.Helper()
	return startWith(t, bus, name, peer, generation, func(c *agent.Config) { c.Leasers = leasers })
}

func startWith(t *testing.T, bus *linktest.Bus, name, peer string, generation uint64, change func(*agent.Config)) *node {
	t.Helper()
	ring, err := wire.NewKeyring(1, []wire.Key{{Number: 1, Method: wire.SHA1, Secret: []byte("secret")}})
	if err != nil {
		t.Fatal(err)
	}
	n := &node{driver: &slow{Duration: 3 * time.Second, running: map[string]bool{}}, done: make(chan error, 1)}
	group := takeover.Group{Preferred: "alpha", Resources: []takeover.Resource{{Spec: resources.Spec{Name: "web"}, Driver: "slow", Leased: true}}}
	cfg := agent.Config{
		Keyring: ring, Sinks: []event.Sink{n}, Remember: n.remember,
		Core: core.Config{
			Cluster: "test", Groups: []takeover.Group{group}, Generation: generation, TTL: 3, ResourcesHash: "r", ConfigHash: "c",
			Members: membership.Config{
				Self: name, Peers: []string{peer}, Links: []string{"eth0"},
				Keepalive: keepalive, Warntime: deadtime / 2, Deadtime: deadtime, Initdead: 2 * deadtime,
			},
		},
		Open: func(h link.Handler) ([]link.Link, error) {
			n.end = bus.Plug("eth0", 0, ring, h)
			return []link.Link{n.end}, nil
		},
		Driver:  func(resources.Spec) resources.Driver { return n.driver },
		Timeout: func(takeover.Operation) time.Duration { return time.Minute },
	}
	change(&cfg)
	n.Agent, err = agent.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, kill := context.WithCancel(t.Context())
	n.kill = kill
	go func() { n.done <- n.Run(ctx) }()
	return n
}

// all are the events of one type that a node has reported.
func all[E event.Event](n *node) []E {
	n.mu.Lock()
	defer n.mu.Unlock()
	var found []E
	for _, e := range n.events {
		if e, ok := e.(E); ok {
			found = append(found, e)
		}
	}
	return found
}

func TestTakeoverOnTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := linktest.NewBus(1)
		alpha, beta := start(t, bus, "alpha", "beta", 1), start(t, bus, "beta", "alpha", 1)
		time.Sleep(60*time.Second + 500*time.Millisecond)
		alpha.kill() // half a second after its last heartbeat
		time.Sleep(time.Minute)
		synctest.Wait()

		dead := all[event.PeerDead](beta)
		if len(dead) != 1 || dead[0].Silence != deadtime {
			t.Errorf("beta reported the deaths %+v, want one after %v", dead, deadtime)
			dead = []event.PeerDead{{}}
		}
		got := all[event.TakeoverCompleted](beta)
		want := event.TakeoverCompleted{ID: 1, Trigger: "peer_dead", Peer: "alpha", Groups: []string{"web"}, Result: "success", Took: 3 * time.Second, Outage: 13 * time.Second, Trace: dead[0].Trace}
		if len(got) != 1 || fmt.Sprint(got[0]) != fmt.Sprint(want) {
			t.Errorf("beta reported\n got %+v\nwant %+v", got, want)
		}
		beta.kill()
		if err := <-beta.done; err != nil {
			t.Errorf("Run = %v", err)
		}
	})
}

func TestPhasesAddUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := linktest.NewBus(1)
		alpha, beta := start(t, bus, "alpha", "beta", 1), start(t, bus, "beta", "alpha", 1)
		time.Sleep(30 * time.Second)
		alpha.kill()
		time.Sleep(time.Minute)
		synctest.Wait()
		var sum time.Duration
		for _, p := range all[event.TakeoverPhase](beta) {
			sum += p.Took
		}
		if done := all[event.TakeoverCompleted](beta); len(done) != 1 || sum != done[0].Outage {
			t.Errorf("the phases add up to %v, the whole is %+v", sum, done)
		}
		beta.kill()
	})
}

func TestStopHandsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := linktest.NewBus(1)
		alpha, beta := start(t, bus, "alpha", "beta", 1), start(t, bus, "beta", "alpha", 1)
		time.Sleep(30 * time.Second)
		alpha.Stop("asked")
		if err := <-alpha.done; err != nil {
			t.Errorf("Run = %v", err)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if dead := all[event.PeerDead](beta); len(dead) > 0 {
			t.Errorf("beta calls a node dead that said goodbye: %+v", dead)
		}
		if s, err := beta.Snapshot(t.Context()); err != nil || s.Takeover.Hold != "all" {
			t.Errorf("beta holds %s, %v", s.Takeover.Hold, err)
		}
		if _, err := alpha.Snapshot(t.Context()); err != agent.ErrEnded {
			t.Errorf("a stopped agent answers %v", err)
		}
		beta.kill()
	})
}

func TestRequestIsAnsweredByThePeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := linktest.NewBus(1)
		alpha, beta := start(t, bus, "alpha", "beta", 1), start(t, bus, "beta", "alpha", 1)
		time.Sleep(30 * time.Second)
		reply, err := alpha.Request(t.Context(), "standby", "all", 0)
		if err != nil || !reply.Accepted {
			t.Errorf("Request = %+v, %v", reply, err)
		}
		again, err := alpha.Request(t.Context(), "standby", "all", 0)
		if err != nil || again.Accepted || again.Reason != "a standby is in progress" {
			t.Errorf("a second Request = %+v, %v", again, err)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		results := []string{}
		for _, c := range all[event.OperatorCommand](alpha) {
			results = append(results, c.Result)
		}
		if !slices.Equal(results, []string{"accepted", "refused"}) {
			t.Errorf("operator commands: %v", results)
		}
		alpha.kill()
		beta.kill()
	})
}

// TestAShortSilenceIsLateAndNoDeath cuts alpha's words off for two keepalives
// less than deadtime.
func TestAShortSilenceIsLateAndNoDeath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := linktest.NewBus(1)
		alpha, beta := start(t, bus, "alpha", "beta", 1), start(t, bus, "beta", "alpha", 1)
		time.Sleep(30*time.Second + 500*time.Millisecond)
		bus.Set(alpha.end, beta.end, linktest.Way{Cut: true})
		time.Sleep(deadtime - 2*keepalive)
		bus.Set(alpha.end, beta.end, linktest.Way{})
		time.Sleep(2 * keepalive)
		synctest.Wait()
		if dead := all[event.PeerDead](beta); len(dead) > 0 {
			t.Errorf("dead after a silence shorter than deadtime: %+v", dead)
		}
		if late := all[event.HeartbeatLate](beta); len(late) != 1 {
			t.Errorf("late heartbeats: %+v", late)
		}
		alpha.kill()
		beta.kill()
	})
}
