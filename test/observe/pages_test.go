package observe

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/systole-ha/systole/test/cluster"
	"github.com/systole-ha/systole/test/lab"
)

const (
	alertmanagerAt = "127.0.0.1:9093"
	prometheusAt   = "127.0.0.1:9090"
)

// two are one group that prefers each node.
var two = []string{"alpha " + address + " nginx", "beta IPaddr::192.0.2.60/24/eth0"}

// A room is a site that is watched as it should be: Prometheus judges it,
// Alertmanager tells.
type room struct {
	*site
	prometheus
	inbox *inbox
}

func newRoom(t *testing.T, s *site) room {
	t.Helper()
	in := s.inbox()
	s.alertmanager(alertmanagerAt, in)
	return room{s, s.prometheus(prometheusAt, alertmanagerAt), in}
}

// judged waits until every rule has been evaluated after now, on scrapes from
// after now: the pages are every 5 s, as shipped.
func (r room) judged() { r.t.Helper(); pass(r.t, 7*time.Second) }

// nobodyCalled fails the test if an alert that asks for somebody fired since an
// instant, or anybody was told.
func (r room) nobodyCalled(since time.Time) {
	r.t.Helper()
	fired, err := r.between(`ALERTS{alertstate="firing",severity=~"critical|warning"}`, since, time.Now())
	must(r.t, err)
	for _, a := range fired {
		r.t.Errorf("this fired at %v: %v", a.points[0].at, a.labels)
	}
	for _, receiver := range []string{"pager", "tickets"} {
		for _, n := range r.inbox.to(receiver, since) {
			r.t.Errorf("this was told: %s", n)
		}
	}
}

// TestPages does everything to a cluster that is planned, for which nobody may
// be called, and then kills a node, for which somebody is called once.
func TestPages(t *testing.T) {
	t.Parallel()
	s := newSite(t, files(calm, two, "auto_failback on"))
	s.start()
	r := newRoom(t, s)
	for _, tt := range []struct {
		name string
		do   func()
	}{
		{"hb_standby and hb_takeover", func() {
			s.run(s.alpha, "hb_standby", "all")
			s.settled()
			r.judged()
			s.run(s.alpha, "hb_takeover", "local")
		}},
		{"a clean stop and a start", func() {
			must(t, s.alpha.Stop(soon(t), cluster.Unit))
			r.judged()
			must(t, s.alpha.Start(soon(t), cluster.Unit))
		}},
		{"systemctl restart", func() { s.run(s.alpha, "systemctl", "restart", cluster.Unit) }},
		{"kill -9 of the daemon, which systemd starts again", func() {
			killed := time.Now()
			must(t, s.alpha.Signal(soon(t), cluster.Unit, "KILL"))
			s.entry(s.alpha, killed, "node.started")
		}},
		{"a rolling upgrade", func() {
			for _, n := range []*lab.Node{s.beta, s.alpha} {
				must(t, n.Stop(soon(t), cluster.Unit))
				s.run(n, "sh", "-c", "cp -p /usr/sbin/systole /usr/sbin/systole.new && mv /usr/sbin/systole.new /usr/sbin/systole")
				must(t, n.Start(soon(t), cluster.Unit))
				s.settled()
			}
		}},
	} {
		began := time.Now()
		tt.do()
		s.settled()
		s.held(virtual, s.alpha)
		r.judged()
		if r.nobodyCalled(began); t.Failed() {
			t.Fatalf("somebody was called for %s", tt.name)
		}
		t.Logf("%s: nobody was called in %v", tt.name, round(time.Since(began)))
	}
	r.aDeath()
}

// aDeath kills the node that serves, and expects one page, which says what
// there is to know.
func (r room) aDeath() {
	t := r.t
	t.Helper()
	off := r.powerOff(r.alpha)
	r.held(virtual, r.beta)
	r.eventually("a page", func() error {
		if len(r.inbox.to("pager", off)) == 0 {
			return fmt.Errorf("none came")
		}
		return nil
	})
	page := r.inbox.to("pager", off)[0]
	t.Logf("%v after the power was cut:\n%s", round(page.at.Sub(off)), page)
	if got := page.firing(); !slices.Equal(got, []string{"SystoleNodeDead"}) {
		t.Fatalf("it tells of %v", got)
	}
	dead := page.Alerts[0]
	told := dead.Annotations["summary"] + "\n" + dead.Annotations["description"]
	trace := r.entry(r.beta, off, "peer.dead").Get("trace")
	for _, part := range []string{
		"Node alpha of cluster web is dead", address + " runs on beta",
		"silence took 2", "services took ", "verify took ", trace,
	} {
		if part == "" || !strings.Contains(told, part) {
			t.Errorf("%q is not in it", part)
		}
	}
	// Within deadtime, a scrape, 5 s to the next evaluation and group_wait.
	if most := calm.Deadtime + time.Second + 5*time.Second + 10*time.Second + 2*time.Second; page.at.Sub(off) > most {
		t.Errorf("told %v after the power was cut, want %v at most", page.at.Sub(off), most)
	}

	// What joins the group is told with the next look at it.
	r.comeBack(r.alpha)
	r.held(virtual, r.alpha)
	pass(t, time.Until(page.at.Add(30*time.Second)))
	if all := r.inbox.to("pager", off); len(all) != 1 {
		t.Errorf("%d pages, want one:\n%v", len(all), all)
	}
	fired, err := r.instant(`count by (alertname) (max_over_time(ALERTS{alertstate="firing",severity="critical"}[5m]))`, time.Now())
	must(t, err)
	if len(fired) != 1 || fired[0].labels["alertname"] != "SystoleNodeDead" {
		t.Errorf("these fired: %v", fired)
	}
	if tickets := r.inbox.to("tickets", off); len(tickets) > 0 {
		t.Errorf("tickets of a node that was away for seconds: %v", tickets)
	}
}

// TestSplitIsNamed takes all heartbeats, and nothing else, from two nodes. Each
// serves; both are scraped. The page says what this is.
func TestSplitIsNamed(t *testing.T) {
	t.Parallel()
	s := newSite(t, files(calm, two, "auto_failback on"))
	s.start()
	r := newRoom(t, s)
	began := time.Now()
	s.both(func(n *lab.Node) error { return s.deafen(n, "eth0", "eth1") })
	s.held(virtual, s.beta)
	both := time.Now()
	r.eventually("a page", func() error {
		if len(r.inbox.to("pager", began)) == 0 {
			return fmt.Errorf("none came")
		}
		return nil
	})
	page := r.inbox.to("pager", began)[0]
	t.Logf("%v after both served:\n%s", round(page.at.Sub(both)), page)
	i := slices.IndexFunc(page.Alerts, func(a alert) bool { return a.Labels["alertname"] == "SystoleSplitBrain" })
	if i < 0 {
		t.Fatalf("it tells of %v, not of a split brain", page.firing())
	}
	told := page.Alerts[i].Annotations["description"]
	for _, part := range []string{
		address + " runs on alpha", address + " runs on beta", "alpha calls beta dead", "beta calls alpha dead",
	} {
		if !strings.Contains(told, part) {
			t.Errorf("%q is not in %s", part, told)
		}
	}
	s.both(s.hear)
	s.settled()
	r.eventually("the daemons' own word", func() error {
		got, err := r.instant(`sum(systole_split_brains_total{evidence="peer_claims"}) >= 1`, time.Now())
		if err == nil && len(got) == 0 {
			err = fmt.Errorf("no split brain is counted")
		}
		return err
	})
}
