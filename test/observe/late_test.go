package observe

import (
	"testing"
	"time"

	"github.com/systole-ha/systole/test/cluster"
	"github.com/systole-ha/systole/test/lab"
)

// TestLateRestart kills a daemon whose addresses have no lease and lets it come
// back after its peer has taken over. Both kernels have the address from then
// until the new daemon cleans up, and no daemon was there to see it begin: what
// the new one says of it must be what the kernels' messages say.
func TestLateRestart(t *testing.T) {
	f := files(fast, []string{"alpha " + aloneGroup}, "auto_failback off")
	f["systole.yaml"] += "leases: off\n"
	s := newSite(t, f)
	s.start()
	must(t, s.alpha.Configure("/etc/systemd/system/systole.service.d", lab.Files{"late.conf": "[Service]\nExecStartPre=/usr/bin/sleep 1\n"}))
	must(t, s.alpha.Reload(soon(t)))

	c := &court{site: s}
	for range 3 {
		killed := time.Now()
		must(t, s.alpha.Signal(soon(t), cluster.Unit, "KILL"))
		s.held(alone, s.beta)
		told := s.entry(s.alpha, killed, "split_brain.cleared")
		s.settled()
		h, err := s.watch.History()
		must(t, err)
		both := h.Overlaps(alone)
		seen := both[len(both)-1]
		if seen.From.Before(killed) {
			t.Fatalf("the kernels never both had %s; overlaps: %v", alone, both)
		}
		c.find("late restart", "two owners, told less seen", told.Seconds("took")-seen.Length(), -near, near)
		c.find("late restart", "two owners end, told less seen", told.At.Sub(seen.To), -near, near)
		if got := s.entries(s.alpha, killed).Of("split_brain.suspected").With("evidence", "left_running"); len(got) != 1 {
			t.Errorf("alpha says of two owners:\n%s", got)
		}
		s.run(s.alpha, "hb_takeover", "all")
		s.held(alone, s.alpha)
		s.settled()
	}
	c.judge()
}
