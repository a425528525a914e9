package interop

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/systole-ha/systole/test/book"
	"github.com/systole-ha/systole/test/cluster"
	"github.com/systole-ha/systole/test/lab"
)

// A move is one planned move of a migration, in milliseconds of the client's
// outage. Where a Heartbeat node takes part, its scripts have a share of it.
type move struct {
	Service string
	From    string
	To      string
	Outage  int
	Scripts int // of it
}

// A service is what is migrated.
type service struct {
	name string
	line string // of haresources
	url  string
	most time.Duration // systole's share of an outage, at most
}

var services = []service{
	{"an address", "alpha IPaddr::192.0.2.50/24/eth0", "icmp://192.0.2.50", 20 * time.Millisecond},
	{"an address and nginx", "alpha IPaddr::192.0.2.50/24/eth0 nginx", "http://192.0.2.50/", 150 * time.Millisecond},
}

// TestMigration replaces both nodes of a Heartbeat cluster one after the other,
// and goes back, while a client asks all the time. Every move is asked for by an
// operator. It is part of make interop alone: it takes minutes.
func TestMigration(t *testing.T) {
	if !*update {
		return
	}
	var all []move
	for _, of := range services {
		t.Run(of.name, func(t *testing.T) { all = append(all, migrate(t, of)...) })
	}
	if *update {
		b := book.Read[matrix](t, kept)
		b.Moves = all
		b.write(t)
	}
}

// A migration is under way.
type migration struct {
	*stage
	of    service
	moves []move
}

func migrate(t *testing.T, of service) []move {
	l := lab.New(t)
	watch, err := l.Watch()
	must(t, err)
	alpha, beta := l.Nodes()[0], l.Nodes()[1]
	m := &migration{of: of, stage: &stage{
		t: t, sideless: true, cfg: configuration{systole: "alpha", failback: "off", method: "sha1", medium: "bcast", links: 2, lines: 1}, lab: l, watch: watch,
		runs: map[*lab.Node]*daemon{alpha: heartbeat, beta: heartbeat}, active: map[*lab.Node]bool{}, holder: map[*lab.Node]*lab.Node{},
	}}
	for _, n := range l.Nodes() {
		must(t, lab.Nginx(n))
		must(t, n.Configure("/etc/ha.d", m.files()))
	}
	m.begin(alpha, beta)
	m.own()
	m.ready()
	m.move(alpha, beta)

	m.replace(alpha, systole)
	m.move(beta, alpha)
	m.replace(beta, systole)
	for range 3 {
		m.move(alpha, beta)
		m.move(beta, alpha)
	}
	m.replace(beta, heartbeat)
	m.move(alpha, beta)
	m.replace(alpha, heartbeat)
	m.move(beta, alpha)

	if both := m.both(time.Time{}); both > 0 {
		t.Errorf("two nodes held the address for %v", both)
	}
	m.promised()
	return m.moves
}

func (m *migration) files() lab.Files {
	files := m.cfg.files(m.lab.Nodes()[0], m.lab.Nodes()[1])
	files["haresources"] = m.of.line + "\n"
	return files
}

// ready waits until one node has the service and the other could take it.
func (m *migration) ready() {
	m.t.Helper()
	m.placed()
	m.truthful()
}

// busy is the longest gap between answers of a web server that is no outage, on
// a machine with two cores and other work.
const busy = 100 * time.Millisecond

// replace gives a node that holds nothing another daemon, with the same files.
func (m *migration) replace(n *lab.Node, by *daemon) {
	m.t.Helper()
	probe := m.probe()
	m.stage.stop(n)
	m.runs[n] = by
	must(m.t, by.install(n, m.files()))
	if by == heartbeat {
		must(m.t, n.CopyFile("/usr/bin/cl_status", "/usr/bin/cl_status"))
		m.run(n, "rm", "-f", "/var/lib/heartbeat/hb_generation")
	}
	m.begin(n)
	m.ready()
	if gap := m.ended(probe).Longest(); gap.Length()-gap.Late > busy {
		m.t.Errorf("%s was replaced, and the client had no answer for %v, want no outage", n, gap)
	}
}

// move asks a node to give the service to the other.
func (m *migration) move(from, to *lab.Node) {
	m.t.Helper()
	probe := m.probe()
	asked := time.Now()
	m.order(from, "hb_standby", "all")
	m.all(to)
	m.placed()
	_, err := probe.AwaitAnswer(soon(m.t), "")
	must(m.t, err)
	m.truthful()
	gap := m.ended(probe).Longest()
	mv := move{Service: m.of.name, From: m.runs[from].name, To: m.runs[to].name, Outage: milliseconds(gap.Length() - gap.Late)}
	switch {
	case mv.From == heartbeat.name && mv.To == heartbeat.name:
		mv.Scripts = mv.Outage
	case mv.To == heartbeat.name:
		mv.Scripts = milliseconds(gap.To.Sub(m.released(from, asked)))
	case mv.From == heartbeat.name:
		mv.Scripts = milliseconds(m.free(to, asked).Sub(gap.From))
	}
	m.moves = append(m.moves, mv)
	m.t.Logf("%-9s to %-9s no answer for %v, %d ms of it by the scripts of Heartbeat", mv.From, mv.To, gap, mv.Scripts)
}

// released is when a systole node had stopped all that it was asked to give up.
func (m *migration) released(n *lab.Node, since time.Time) time.Time {
	m.t.Helper()
	entries := m.entries(n, since).Of("release.completed")
	if len(entries) != 1 {
		m.t.Fatalf("%s released\n%swant one release", n, entries)
	}
	return entries[0].At
}

// free is when a systole node was told that it may start what it was given: when
// it began the first operation.
func (m *migration) free(n *lab.Node, since time.Time) time.Time {
	m.t.Helper()
	entries := m.entries(n, since).Of("resource.operation").With("operation", "start")
	if len(entries) == 0 {
		m.t.Fatalf("%s has started nothing", n)
	}
	return entries[0].At.Add(-entries[0].Seconds("took"))
}

func (m *migration) entries(n *lab.Node, since time.Time) cluster.Entries {
	m.t.Helper()
	entries, err := cluster.Journal(soon(m.t), n, since)
	must(m.t, err)
	return entries
}

func (m *migration) probe() *lab.Probe {
	m.t.Helper()
	probe, err := m.lab.Probe(lab.Question{URL: m.of.url})
	must(m.t, err)
	_, err = probe.AwaitAnswer(soon(m.t), "")
	must(m.t, err)
	return probe
}

func (m *migration) ended(probe *lab.Probe) lab.Result {
	m.t.Helper()
	r, err := probe.Stop()
	must(m.t, err)
	return r
}

// promised holds systole's share of the outages against what is promised: the
// median of those between two systole nodes, since a machine with two cores has
// its moments, and each of the others.
func (m *migration) promised() {
	m.t.Helper()
	most := m.of.most
	var among []int
	for _, mv := range m.moves {
		ours := mv.Outage - mv.Scripts
		if mv.From == systole.name && mv.To == systole.name {
			among = append(among, ours)
		} else if time.Duration(ours)*time.Millisecond > most {
			m.t.Errorf("from %s to %s %s: systole's share of the outage was %d ms, want %v at most", mv.From, mv.To, mv.Service, ours, most)
		}
	}
	slices.Sort(among)
	if median := among[len(among)/2]; time.Duration(median)*time.Millisecond > most {
		m.t.Errorf("the median outage of %v ms is %d ms, want %v at most", among, median, most)
	}
}

// row is a line of the table of moves.
func (mv move) row() string {
	scripts := "–"
	if mv.Scripts > 0 {
		scripts = fmt.Sprint(mv.Scripts)
	}
	return fmt.Sprintf("| %s | %s | %s | %d | %s |\n", mv.Service, mv.From, mv.To, mv.Outage, scripts)
}
