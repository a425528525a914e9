package sim

import (
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/agent/takeover"
	"github.com/systole-ha/systole/resources"
)

// A story is what the histories of one test have in common: a cluster, what may
// befall it, and what must hold all the same.
type story struct {
	cluster func(seed uint64) Cluster
	faults  [][]fault    // drawn from all of them, by weight
	begin   func(*World) // prepares a world further; may be nil
	never   bool         // no address may be on two nodes at any instant
	alone   bool         // nothing may run on two nodes at any instant
}

// how long there is trouble, and in which time after it everything must be in
// order: initdead, and the minute before what failed on both nodes is tried
// again, and what a refused offer waits.
const (
	troubled = 2 * time.Minute
	healed   = 90 * time.Second
)

// play plays one seed: faults, then peace, in which everything must come to be
// held by exactly one node.
func (s story) play(seed uint64, aloud bool) (err error) {
	w := New(seed, s.cluster(seed))
	r := watch(w)
	r.never, r.alone = s.never, s.alone
	w.Watch = func(n *Node, e event.Event) {
		r.booked(n, e)
		if aloud && event.SeverityOf(e) > event.Sample {
			fmt.Fprintln(os.Stdout, w.Elapsed(), n.Name, event.Text(e))
		}
	}
	defer func() {
		if p := recover(); p != nil {
			if aloud {
				panic(p)
			}
			err = fmt.Errorf("at %s: panic: %v", w.Elapsed(), p)
		}
	}()
	if s.begin != nil {
		s.begin(w)
	}
	for i, n := range w.Nodes {
		w.After(time.Duration(i)*time.Duration(w.Random.IntN(5000))*time.Millisecond, n.Boot)
	}
	t := &trouble{w: w, kinds: slices.Concat(s.faults...), aloud: aloud}
	t.until(Epoch.Add(troubled))
	w.RunUntil(Epoch.Add(troubled))
	t.peace()
	s.heal(w, r, seed%8 == 0)
	if err := r.settled(); err != nil {
		r.fail("in the end %v", err)
	}
	return r.err
}

// heal lets the time of peace pass, all of it or until all has been well for
// some seconds: in which most histories have nothing more to tell.
func (s story) heal(w *World, r *rules, whole bool) {
	const step = 5 * time.Second
	end := w.Now.Add(healed)
	for well := 0; w.Now.Before(end) && r.err == nil && (whole || well < 3); well++ {
		w.RunUntil(w.Now.Add(step))
		if r.settled() != nil {
			well = -1
		}
	}
}

// pair is two nodes with three groups and two links, of some seeds one. Every
// fourth has the short beat that an impatient operator gives it.
func pair(seed uint64) Cluster {
	c := Cluster{
		Nodes: []string{"alpha", "beta"}, Links: []string{"eth0", "eth1"},
		Keepalive: 200 * time.Millisecond, Deadtime: time.Second, Initdead: 3 * time.Second,
		AutoFailback: seed%2 == 0,
	}
	if seed%4 == 1 {
		c.Keepalive /= 2
	}
	if seed%5 == 0 {
		c.Links = c.Links[:1]
	}
	address := func(n int) takeover.Resource {
		return takeover.Resource{Spec: resources.Spec{Name: "IPaddr", Args: []string{fmt.Sprintf("192.0.2.%d", n)}}, Driver: "ipaddr", Announced: true}
	}
	unit := func(name string) takeover.Resource {
		return takeover.Resource{Spec: resources.Spec{Name: name}, Driver: "systemd"}
	}
	c.Groups = []takeover.Group{
		{Preferred: "alpha", Resources: []takeover.Resource{address(10), unit("web")}},
		{Preferred: "alpha", Resources: []takeover.Resource{unit("cron")}},
		{Preferred: "beta", Resources: []takeover.Resource{address(20), address(21), unit("mail"), unit("imap")}},
	}
	return c
}

// leased gives a cluster's addresses a lease.
func leased(c Cluster, lease time.Duration) Cluster {
	c.Lease = lease
	for _, g := range c.Groups {
		for i := range g.Resources {
			g.Resources[i].Leased = g.Resources[i].Announced
		}
	}
	return c
}
