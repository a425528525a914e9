package sim

import (
	"testing"
	"time"
)

// standstills are those of a whole machine: after a pause all its clocks have
// jumped, after a suspension that of the daemon has not.
var standstills = []fault{
	{"pause", 2, func(t *trouble) { t.sleep((*Node).Pause) }},
	{"suspend", 2, func(t *trouble) { t.sleep((*Node).Suspend) }},
}

func (t *trouble) sleep(how func(*Node)) {
	n, long := t.node(), t.while(5000)
	t.say("%s for %v", n.Name, long)
	how(n)
	t.w.After(long, n.Wake)
}

// apart sets the clocks of the nodes hours apart.
func apart(w *World) {
	for _, n := range w.Nodes {
		n.Ahead = time.Duration(w.Random.IntN(48)-24) * time.Hour
	}
}

// TestStandstills plays histories in which whole machines are paused and
// suspended beside crashes, with leases, and with clocks that are hours apart:
// no address is ever on two nodes.
func TestStandstills(t *testing.T) {
	s := leasedStory(func(c Cluster) time.Duration { return c.Deadtime - c.Keepalive - 50*time.Millisecond })
	s.faults, s.begin = append(s.faults, times(4, standstills)), apart
	playAll(t, *seeds/2, s)
}

// TestClocksApart plays histories of every fault with clocks that are hours
// apart: when two owners meet, one of them keeps.
func TestClocksApart(t *testing.T) {
	playAll(t, *seeds/2, story{cluster: pair, faults: [][]fault{endings, cuts, requests, freezes, standstills, breakage}, begin: apart})
}
