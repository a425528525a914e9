package readiness

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/agent/membership"
)

// links wants the peer heard on two links. Two lines of ha.cf with one device
// are one cable. A cluster with a single link is told so by systole check; to
// call it not ready for ever would only teach its operators to look away.
//
// Only a peer that takes part is judged: one that boots is not heard
// everywhere yet, and of one that is dead there is nothing left to lose.
func links(s core.Snapshot) Verdict {
	var wrong, fine []string
	for _, m := range s.Members {
		if m.Ping {
			continue
		}
		if m.State != membership.Active {
			fine = append(fine, fmt.Sprintf("%s is %s", m.Name, m.State))
			continue
		}
		up, down := carrying(m)
		switch {
		case len(up)+len(down) == 1:
			fine = append(fine, "only one link is configured, "+append(up, down...)[0])
		case len(up) < 2:
			wrong = append(wrong, fmt.Sprintf("%s is heard on %s only, not on %s", m.Name, orNothing(up), strings.Join(down, ", ")))
		default:
			fine = append(fine, fmt.Sprintf("%s is heard on %s", m.Name, strings.Join(up, ", ")))
		}
	}
	return verdict(LinkRedundant, wrong, fine)
}

// carrying are the links that bring heartbeats of a node, by device, and those
// that do not.
func carrying(m membership.View) (up, down []string) {
	for _, l := range m.Links {
		if l.Up && !slices.Contains(up, l.Link) {
			up = append(up, l.Link)
		}
	}
	for _, l := range m.Links {
		if !slices.Contains(up, l.Link) && !slices.Contains(down, l.Link) {
			down = append(down, l.Link)
		}
	}
	return up, down
}

func orNothing(links []string) string {
	if len(links) == 0 {
		return "nothing"
	}
	return strings.Join(links, ", ")
}

// files wants the peer's files like ours, by the hashes in its heartbeats. A
// Heartbeat node sends none.
func files(s core.Snapshot) Verdict {
	var wrong, fine []string
	for _, p := range s.Peers {
		switch {
		case !present(s, p.Name):
			fine = append(fine, p.Name+" is not there")
		case len(p.Differ) > 0:
			wrong = append(wrong, fmt.Sprintf("not the same as on %s: %s", p.Name, strings.Join(p.Differ, ", ")))
		case len(p.Says) == 0:
			fine = append(fine, p.Name+" does not say what its files are")
		default:
			fine = append(fine, fmt.Sprintf("the same as on %s: %s", p.Name, strings.Join(p.Says, ", ")))
		}
	}
	return verdict(ConfigMatch, wrong, fine)
}

// clocks repeats the judgement of the core: see event.ClockSkew.
func clocks(s core.Snapshot) Verdict {
	var wrong, fine []string
	for _, p := range s.Peers {
		switch {
		case !present(s, p.Name):
			fine = append(fine, p.Name+" is not there")
		case p.Skewed && p.Offset < 0:
			wrong = append(wrong, fmt.Sprintf("the clock of %s is %v behind ours", p.Name, tenths(-p.Offset)))
		case p.Skewed:
			wrong = append(wrong, fmt.Sprintf("the clock of %s is %v ahead of ours", p.Name, tenths(p.Offset)))
		case p.OffsetError == 0:
			fine = append(fine, p.Name+" does not say what its clock is")
		default:
			fine = append(fine, fmt.Sprintf("the clock of %s is within a second of ours", p.Name))
		}
	}
	return verdict(Clock, wrong, fine)
}

// tenths is what of an offset is worth a new reason.
func tenths(d time.Duration) time.Duration { return d.Round(100 * time.Millisecond) }

// present reports that a peer is heard.
func present(s core.Snapshot, name string) bool {
	for _, m := range s.Members {
		if m.Name == name {
			return m.State == membership.Init || m.State == membership.Up || m.State == membership.Active
		}
	}
	return false
}

func anyPresent(s core.Snapshot) bool {
	return slices.ContainsFunc(s.Peers, func(p core.PeerView) bool { return present(s, p.Name) })
}

// most is how many reasons are worth reading.
const most = 4

// verdict is no if anything is wrong; then only that is told.
func verdict(check string, wrong, fine []string) Verdict {
	v := Verdict{Check: check, Ready: len(wrong) == 0}
	reasons := wrong
	if v.Ready {
		reasons = fine
	}
	if more := len(reasons) - most; more > 0 {
		reasons = append(reasons[:most:most], fmt.Sprintf("and %d more", more))
	}
	v.Reason = oneLine(strings.Join(reasons, "; "))
	return v
}
