package readiness

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/agent/membership"
	"github.com/systole-ha/systole/agent/takeover"
	"github.com/systole-ha/systole/resources"
)

const (
	shared  = "IPaddr::192.0.2.50/24/eth0"
	alone   = "IPaddr::192.0.2.60/24/eth0"
	mine    = "02:00:00:00:00:01"
	another = "02:00:00:00:00:09"
)

// A world is what a Checker looks at: beta, which holds a group of its own, and
// the one of alpha.
type world struct {
	mu        sync.Mutex // of all that follows
	snapshot  core.Snapshot
	snapshots func(n int) core.Snapshot // where it changes while it is looked at
	asked     int
	notes     []event.ReadinessChanged

	findings []resources.Finding // of the unit
	hangs    chan struct{}       // where the unit's driver does not answer
	calls    int
	place    resources.Place
	placeErr error
	probes   map[string]resources.Probe // by resource
	stateDir string
	devices  []Device
}

func newWorld(t *testing.T) *world {
	link := func(name string) membership.LinkView { return membership.LinkView{Link: name, Up: true} }
	w := &world{
		snapshot: core.Snapshot{
			Self: "beta", State: membership.Active,
			Members: []membership.View{
				{Name: "alpha", State: membership.Active, Links: []membership.LinkView{link("eth0"), link("eth1")}},
				{Name: "192.0.2.100", Ping: true, State: membership.Dead},
			},
			Peers: []core.PeerView{{Name: "alpha", Says: []string{"ha.cf", "haresources"}, OffsetError: time.Millisecond}},
			Takeover: takeover.View{
				Stable: true, Peer: takeover.PeerView{Told: true, Stable: true, Systole: true},
				Groups: []takeover.GroupView{
					{Key: shared, State: "stopped", Holder: "alpha"},
					{Key: alone, State: "running", Holder: "beta"},
				},
			},
		},
		place: resources.Place{Interface: "eth0", Up: true, Carrier: true},
		probes: map[string]resources.Probe{
			shared: {Asked: true, Interface: "eth0", Others: []string{mine}},
			alone:  {Asked: true, Interface: "eth0", Held: true},
		},
		stateDir: t.TempDir(),
	}
	return w
}

// change changes the world while it is looked at.
func (w *world) change(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

// told is what was reported since it was last asked for.
func (w *world) told() (notes []event.ReadinessChanged) {
	w.change(func() { notes, w.notes = w.notes, nil })
	return notes
}

func (w *world) looks() (n int) {
	w.change(func() { n = w.calls })
	return n
}

func (w *world) Snapshot(context.Context) (core.Snapshot, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked++
	if w.snapshots != nil {
		return w.snapshots(w.asked), nil
	}
	return w.snapshot, nil
}

func (w *world) Note(e event.Event) {
	w.change(func() { w.notes = append(w.notes, e.(event.ReadinessChanged)) })
}

func (w *world) checker() *Checker {
	group := func(words ...string) (g takeover.Group) {
		for _, word := range words {
			s, err := resources.ParseSpec(word)
			if err != nil {
				panic(err)
			}
			g.Resources = append(g.Resources, takeover.Resource{Spec: s})
		}
		return g
	}
	return New(Config{
		Groups: []takeover.Group{group(shared, "nginx"), group(alone)}, StateDir: w.stateDir, Devices: w.devices,
		Driver: func(s resources.Spec) resources.Driver {
			if s.Name == "nginx" {
				return unitDriver{w: w}
			}
			return addressDriver{w: w}
		},
	}, w)
}

type unitDriver struct {
	resources.Driver
	w *world
}

func (d unitDriver) Check(ctx context.Context, _ resources.Spec) []resources.Finding {
	var hangs chan struct{}
	d.w.change(func() { d.w.calls++; hangs = d.w.hangs })
	if hangs != nil {
		<-hangs
	}
	d.w.mu.Lock()
	defer d.w.mu.Unlock()
	return d.w.findings
}

type addressDriver struct {
	resources.Driver
	w *world
}

func (d addressDriver) Check(context.Context, resources.Spec) []resources.Finding {
	panic("an address is no unit")
}

func (d addressDriver) Place(_ context.Context, s resources.Spec) (resources.Place, error) {
	if d.w.placeErr != nil {
		return resources.Place{}, &resources.Error{Op: "place", Spec: s, Err: d.w.placeErr}
	}
	return d.w.place, nil
}

func (d addressDriver) Probe(_ context.Context, specs []resources.Spec) (found []resources.Probe, err error) {
	for _, s := range specs {
		found = append(found, d.w.probes[s.String()])
	}
	return found, nil
}

// run runs a Checker in a bubble.
func run(t *testing.T, w *world) *Checker {
	c := w.checker()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); c.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	return c
}

func TestNothingIsJudgedBeforeTheNodeTakesPart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.snapshot.State = membership.Up
		w.snapshot.Members[0].Links[1].Up = false
		c := run(t, w)
		time.Sleep(2 * time.Minute) // a long initdead
		synctest.Wait()
		report, err := c.Ask(t.Context())
		if err != nil || report.Ready() || !strings.Contains(report.Unjudged, "does not take part yet") || len(report.Verdicts) > 0 {
			t.Errorf("asked while it waits: %+v, %v", report, err)
		}
		if told := w.told(); len(told) > 0 {
			t.Errorf("reported while it waits: %v", told)
		}

		w.change(func() {
			w.snapshot.State = membership.Active
			w.snapshot.Members[0].Links[1].Up = true
			w.snapshot.Takeover.Stable = false // its own groups start
		})
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if told := w.told(); len(told) > 0 {
			t.Errorf("reported while it starts: %v", told)
		}
		w.change(func() { w.snapshot.Takeover.Stable = true })
		time.Sleep(waiting)
		synctest.Wait()
		told := w.told()
		if len(told) != len(checks) {
			t.Fatalf("reported %d checks, want %d", len(told), len(checks))
		}
		for i, e := range told {
			if e.Check != checks[i] || !e.Ready {
				t.Errorf("reported %+v, want %s ready", e, checks[i])
			}
		}
	})
}

func TestNewsIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		run(t, w)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		w.told()
		for _, step := range []struct {
			findings []resources.Finding
			after    time.Duration
			want     []event.ReadinessChanged
		}{
			{after: 10 * time.Minute},
			{
				findings: []resources.Finding{{Fatal: true, Text: "masked"}}, after: usually,
				want: []event.ReadinessChanged{{Check: UnitsLoadable, Reason: "masked"}},
			},
			{findings: []resources.Finding{{Fatal: true, Text: "masked"}}, after: 10 * time.Minute},
			{
				findings: []resources.Finding{{Fatal: true, Text: "missing"}}, after: notReady,
				want: []event.ReadinessChanged{{Check: UnitsLoadable, Reason: "missing"}},
			},
			{after: notReady, want: []event.ReadinessChanged{{Check: UnitsLoadable, Ready: true, Reason: "1 unit"}}},
		} {
			w.change(func() { w.findings = step.findings })
			time.Sleep(step.after)
			synctest.Wait()
			if got := w.told(); fmt.Sprint(got) != fmt.Sprint(step.want) {
				t.Errorf("with %v, in %v:\n got %v\nwant %v", step.findings, step.after, got, step.want)
			}
		}
	})
}

// A driver that hangs costs its own check a verdict, and nothing else.
func TestACheckThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.hangs = make(chan struct{})
		c := run(t, w)
		began := time.Now()
		report, err := c.Ask(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > Limit+grace {
			t.Errorf("it took %v", took)
		}
		for _, v := range report.Verdicts {
			want := Verdict{Check: UnitsLoadable, Reason: "no answer within 5s"}
			if v.Check == want.Check && v != want || v.Check != want.Check && !v.Ready {
				t.Errorf("while units hang: %+v", v)
			}
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if n := w.looks(); n != 1 {
			t.Errorf("%d looks at units were begun, want the one that hangs", n)
		}
		close(w.hangs)
		synctest.Wait()
		if report, err = c.Ask(t.Context()); err != nil || !report.Ready() || w.looks() != 2 {
			t.Errorf("when it has answered: %+v, %v after %d looks", report, err, w.looks())
		}
	})
}

func TestAskEndsWithTheChecker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.checker()
		ctx, cancel := context.WithCancel(t.Context())
		go c.Run(ctx)
		cancel()
		synctest.Wait()
		if _, err := c.Ask(t.Context()); !errors.Is(err, ErrEnded) {
			t.Errorf("asked afterwards: %v", err)
		}
	})
}

func TestOneLookServesAllWhoAsk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.hangs = make(chan struct{})
		c := run(t, w)
		reports := make(chan Report, 10)
		for range cap(reports) {
			go func() {
				r, _ := c.Ask(t.Context())
				reports <- r
			}()
		}
		synctest.Wait()
		close(w.hangs)
		synctest.Wait()
		for range cap(reports) {
			if r := <-reports; !reflect.DeepEqual(r.Verdicts[0], Verdict{UnitsLoadable, true, "1 unit"}) {
				t.Errorf("answered %+v", r)
			}
		}
		if n := w.looks(); n > 2 { // the first one's, and one for all others
			t.Errorf("%d looks for ten questions", n)
		}
	})
}
