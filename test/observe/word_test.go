package observe

import (
	"flag"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/systole-ha/systole/test/cluster"
	"github.com/systole-ha/systole/test/lab"
)

// Two groups: one with a service that a client asks over HTTP, and one that is
// an address alone, for which the kernel answers an echo from the moment that it
// has it.
const (
	serviceGroup = address
	aloneGroup   = "IPaddr::192.0.2.51/24/eth0"
)

var alone = netip.MustParseAddr("192.0.2.51")

// near is what the daemon's word and an outside measurement may differ by.
const near = 5 * time.Millisecond

var strict = flag.Bool("strict", false, "the machine is quiet: hold the daemon's word to outside measurements by the medians")

// TestDaemonsWord does to a cluster what can be done to it, and holds what the
// daemons tell of it to what was seen outside: by a client who asks every 2 ms,
// by the kernels' messages about addresses, by systemd's own stamps, and by a
// third machine that hears the heartbeats. Everything is done five times.
//
// Which instants are compared:
//
//   - A takeover begins, by the daemon, with its decision. Outside that is: the
//     last heartbeat on the wire and deadtime later; the first word of a move
//     that was asked for; or, with a clean stop, the kernel's removal of the
//     address on the other node.
//   - It ends, by the daemon, when a last look has found everything running. No
//     client can see that look. It is a question to systemd, whose answer a
//     bystander on the same bus hears too, and that is the end outside. Clients
//     are served earlier: a service answers from the moment that it listens;
//     systemd calls the unit active when it has read its READY=1, says so on the
//     bus, and then answers the question. On a busy machine each of the three
//     takes milliseconds, for systemd is not in real time.
//   - An outage ends, by the daemon, with that look as well. The client is served
//     before: the bound is an upper one.
//   - An outage begins, by the daemon, with the last proof that the old owner
//     served: the last heartbeat that said so, which a client can have outlived by
//     a keepalive; or the order to stop the first of the group, which a client
//     outlives by as long as the services take to stop.
func TestDaemonsWord(t *testing.T) {
	s := newSite(t, files(patient, []string{"alpha " + serviceGroup + " answer", "alpha " + aloneGroup}, "auto_failback on"))
	for _, n := range s.nodes() {
		installAnswer(t, n)
	}
	s.start()
	c := &court{site: s, wire: s.listen(), buses: map[*lab.Node]*bus{}}
	for _, n := range s.nodes() {
		c.buses[n] = s.overhear(n)
	}
	for range 5 {
		for _, f := range c.faults() {
			c.hear(f)
		}
	}
	c.judge()
}

// A fault is something that moves both groups from one node to another, or
// leaves them where they are.
type fault struct {
	name     string
	from, to *lab.Node
	do       func()
	begins   func(c *court, seen testimony) time.Time // the takeover, outside
}

func (c *court) faults() []fault {
	s := c.site
	return []fault{
		{"power off", s.alpha, s.beta, func() { s.powerOff(s.alpha) }, byDeadtime},
		{"failback", s.beta, s.alpha, func() {
			must(s.t, s.alpha.Boot(within(s.t, time.Minute)))
			c.buses[s.alpha] = s.overhear(s.alpha)
			must(s.t, cluster.Start(soon(s.t), s.alpha))
		}, byWord},
		{"kill -9 of the daemon", s.alpha, s.alpha, func() {
			killed := time.Now()
			must(s.t, s.alpha.Signal(soon(s.t), cluster.Unit, "KILL"))
			s.entry(s.alpha, killed, "hold.changed", "to", "local")
		}, nil},
		{"hb_standby", s.alpha, s.beta, func() { s.run(s.alpha, "hb_standby", "all") }, byWord},
		{"hb_takeover", s.beta, s.alpha, func() { s.run(s.alpha, "hb_takeover", "local") }, byWord},
		{"clean stop", s.alpha, s.beta, func() { must(s.t, s.alpha.Stop(soon(s.t), cluster.Unit)) }, byRemoval},
		{"start", s.beta, s.alpha, func() { must(s.t, s.alpha.Start(soon(s.t), cluster.Unit)) }, byWord},
		{"split", s.alpha, s.alpha, c.split, nil},
		{"failed start", s.alpha, s.beta, c.failedStart, nil},
		{"return", s.beta, s.alpha, func() { s.run(s.alpha, "hb_takeover", "local") }, byWord},
	}
}

func byDeadtime(c *court, seen testimony) time.Time {
	return c.wire.lastBefore(c.alpha, seen.came[alone]).Add(patient.Deadtime)
}

func byWord(c *court, seen testimony) time.Time { return c.wire.asked(seen.began) }

func byRemoval(_ *court, seen testimony) time.Time { return seen.went[virtual] }

// split takes the heartbeats from both nodes until both serve.
func (c *court) split() {
	c.both(func(n *lab.Node) error { return c.deafen(n, "eth0", "eth1") })
	c.held(virtual, c.beta)
	c.held(alone, c.beta)
	pass(c.t, time.Second)
	healed := time.Now()
	c.both(c.site.hear)
	c.entry(c.beta, healed, "split_brain.cleared")
}

// failedStart has the service fail on alpha once it is away.
func (c *court) failedStart() {
	const broken = "/etc/systemd/system/answer.service.d"
	must(c.t, c.alpha.Configure(broken, lab.Files{"broken.conf": "[Service]\nExecStartPre=/usr/bin/false\n"}))
	must(c.t, c.alpha.Reload(soon(c.t)))
	since := time.Now()
	c.run(c.alpha, "hb_standby", "all")
	c.settled()
	c.run(c.alpha, "hb_takeover", "local")
	c.entry(c.alpha, since, "takeover.failed")
	c.held(virtual, c.beta)
	c.settled()
	c.run(c.alpha, "rm", broken+"/broken.conf")
	must(c.t, c.alpha.Reload(soon(c.t)))
	// The address alone went its own way.
	c.run(c.alpha, "hb_standby", "all")
}

// A court compares words.
type court struct {
	*site
	wire   *wire
	buses  map[*lab.Node]*bus
	claims []*claim
}

// A testimony is what was seen outside.
type testimony struct {
	began      time.Time
	service    lab.Gap // a client's, without answers
	alone      lab.Gap
	came, went map[netip.Addr]time.Time // on the node that took over, from the other
}

// hear lets a fault happen and compares what is said of it.
func (c *court) hear(f fault) {
	c.t.Helper()
	seen := testimony{came: map[netip.Addr]time.Time{}, went: map[netip.Addr]time.Time{}}
	web, echo := c.probe("http://192.0.2.50/"), c.probe("icmp://192.0.2.51")
	c.answered(web, f.from)
	seen.began = time.Now()
	f.do()
	c.settled()
	for _, a := range []netip.Addr{virtual, alone} {
		c.held(a, f.to)
	}
	c.answered(web, f.to)
	seen.service, seen.alone = c.stop(web).Longest(), c.stop(echo).Longest()
	h, err := c.watch.History()
	must(c.t, err)
	for _, a := range []netip.Addr{virtual, alone} {
		for _, held := range h.Holdings(a) { // not every message: a lease that is renewed is no change
			if held.Node == f.to.Name() {
				seen.came[a] = held.From
			}
			if held.Node == f.from.Name() && !held.Open {
				seen.went[a] = held.To
			}
		}
	}
	switch f.name {
	case "kill -9 of the daemon":
		c.nothingHappened(f, seen)
	case "split":
		c.doubleOwners(h, seen)
	default:
		c.outages(f, seen)
	}
	if f.begins != nil {
		c.takeover(f, seen)
	}
}

// outages compares what the new owner says nobody served with what the client
// missed.
func (c *court) outages(f fault, seen testimony) {
	c.t.Helper()
	for group, gap := range map[string]lab.Gap{serviceGroup: seen.service, aloneGroup: seen.alone} {
		var told time.Duration
		for _, e := range c.entries(f.to, seen.began).Of("owner.changed").With("group", group).With("to", f.to.Name()) {
			told = max(told, e.Seconds("unowned"))
		}
		most := anything
		if group == aloneGroup { // nobody waits for systemd
			most = near
			if f.name == "power off" { // known by heartbeats
				most += patient.Keepalive
			}
		}
		c.find(f.name, "outage of "+group+", told less the client's", told-(gap.Length()-gap.Late), -near, most)
	}
}

// takeover compares the instants and the length of a takeover.
func (c *court) takeover(f fault, seen testimony) {
	c.t.Helper()
	entries := c.entries(f.to, seen.began)
	completed := entries.Of("takeover.completed")
	last := completed[len(completed)-1]
	id := last.Get("id")
	started := entries.Of("takeover.started").With("id", id)[0]
	var sum time.Duration
	for _, phase := range entries.Of("takeover.phase").With("id", id) {
		if name := phase.Get("phase"); name != "silence" && name != "confirm" { // these are before the decision
			sum += phase.Seconds("took")
		}
	}
	took, active := last.Seconds("took"), c.active(f.to, "answer")
	answer := c.buses[f.to].answered(last.At)
	c.find(f.name, "phases less the takeover", sum-took, -time.Millisecond, time.Millisecond)
	c.find(f.name, "end less begin less the takeover", last.At.Sub(started.At)-took, -time.Millisecond, time.Millisecond)
	c.find(f.name, "begin, told less seen", started.At.Sub(f.begins(c, seen)), -near, near)
	c.find(f.name, "address up, told less the kernel's word", c.operation(entries, "start", aloneGroup).At.Sub(seen.came[alone]), -near, near)
	if f.name == "power off" { // a move that was asked for is too short for an echo every 2 ms
		later := seen.alone.To.Sub(seen.came[alone])
		if later > 0 {
			later = max(0, later-seen.alone.Late)
		}
		c.find(f.name, "address up, the client's word less the kernel's", later, -near, near)
	}
	c.find(f.name, "service up, systemd's stamp less the client's", active.Sub(seen.service.To.Add(-seen.service.Late)), -near, anything)
	c.find(f.name, "end, told less systemd's answer", last.At.Sub(answer), -near, near)
	c.find(f.name, "takeover, told less seen", took-answer.Sub(f.begins(c, seen)), -near, near)
}

// operation is the newest of its kind on a resource.
func (c *court) operation(entries cluster.Entries, operation, resource string) cluster.Entry {
	c.t.Helper()
	all := entries.Of("resource.operation").With("operation", operation).With("resource", resource)
	if len(all) == 0 {
		c.t.Fatalf("no %s of %s in\n%s", operation, resource, entries)
	}
	return all[len(all)-1]
}

// active is systemd's stamp of a unit becoming active.
func (c *court) active(n *lab.Node, unit string) time.Time {
	c.t.Helper()
	text := c.run(n, "systemctl", "show", "--value", "--property=ActiveEnterTimestampMonotonic", unit)
	micros, err := strconv.ParseInt(text, 10, 64)
	must(c.t, err)
	var now unix.Timespec
	must(c.t, unix.ClockGettime(unix.CLOCK_MONOTONIC, &now))
	return time.Now().Add(time.Duration(micros)*time.Microsecond - time.Duration(now.Nano()))
}

// doubleOwners compares for how long both kernels had an address with what the
// daemons say of their own.
func (c *court) doubleOwners(h lab.History, seen testimony) {
	c.t.Helper()
	both := h.Overlaps(alone)
	span := both[len(both)-1]
	entries := c.entries(c.beta, seen.began)
	from := c.operation(entries, "start", aloneGroup).At
	to := c.operation(entries, "stop", aloneGroup).At
	c.find("split", "two owners begin, told less seen", from.Sub(span.From), -near, near)
	c.find("split", "two owners end, told less seen", to.Sub(span.To), -near, near)
	c.find("split", "two owners, told less seen", to.Sub(from)-span.Length(), -near, near)
}

// nothingHappened expects no word of an outage where the client had none.
func (c *court) nothingHappened(f fault, seen testimony) {
	c.t.Helper()
	for _, n := range c.nodes() {
		if got := c.entries(n, seen.began).Of("release.started", "peer.dead", "split_brain.suspected"); len(got) > 0 {
			c.t.Errorf("%s: %s says:\n%s", f.name, n, got)
		}
	}
	for _, n := range c.nodes() {
		got := c.entries(n, seen.began).Of("owner.changed").With("to", "alpha")
		if len(got) != 2 || got[0].Seconds("unowned")+got[1].Seconds("unowned") > 0 {
			c.t.Errorf("%s: %s says:\n%s", f.name, n, got)
		}
	}
	// What this machine does to 3000 questions that nothing happens to.
	const noise = 20 * time.Millisecond
	c.find(f.name, "the client's longest gap", max(seen.service.Length()-seen.service.Late, seen.alone.Length()-seen.alone.Late), 0, noise)
}

// A claim is a difference, as often as it was taken, and what its median may be.
type claim struct {
	fault, what string
	least, most time.Duration
	found       []time.Duration
}

// anything is for what only has a lower bound.
const anything = time.Duration(math.MaxInt64)

func (c *court) find(fault, what string, d, least, most time.Duration) {
	i := slices.IndexFunc(c.claims, func(other *claim) bool { return other.fault == fault && other.what == what })
	if i < 0 {
		i, c.claims = len(c.claims), append(c.claims, &claim{fault: fault, what: what, least: least, most: most})
	}
	c.claims[i].found = append(c.claims[i].found, d)
}

// judge holds the words to each other. On a quiet machine (-strict) the medians
// must agree. What else a machine does adds to a difference, on either side, and
// takes nothing from one that is always there: on one that is not quiet, two of
// all rounds must agree, and the medians may differ by what such a machine does.
func (c *court) judge() {
	c.t.Helper()
	for _, claim := range c.claims {
		got := median(claim.found)
		c.t.Logf("%-22s %-50s %10v of %v", claim.fault, claim.what, got.Round(time.Microsecond), claim.found)
		if agree, slack := claim.agree(), c.slack(); agree < 2 || got < claim.least-slack || got-slack > claim.most {
			c.t.Errorf("%s: %s: %v of %v, %d agree; want %v to %v", claim.fault, claim.what, got, claim.found, agree, claim.least, claim.most)
		}
	}
}

// agree is how many of the differences are what they may be.
func (c *claim) agree() (n int) {
	for _, d := range c.found {
		if d >= c.least && d <= c.most {
			n++
		}
	}
	return n
}

// slack is what the medians may be off by.
func (c *court) slack() time.Duration {
	if *strict {
		return 0
	}
	return 4 * near
}

func median(all []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}
