package takeover

import "time"

// A View is what this node holds and knows of the other, for status displays.
type View struct {
	Hold     string // as cl_status rscstatus
	Stable   bool   // takes part, and nothing is under way
	Standby  time.Time
	Activity string // what is under way, in words; empty for nothing
	Peer     PeerView
	Groups   []GroupView
}

// A PeerView is what the peer has said.
type PeerView struct {
	Told    bool // what it holds
	Stable  bool
	Leaving bool
	Systole bool // group by group
}

// A GroupView is one group.
type GroupView struct {
	Key       string
	Preferred string
	Resources []string
	Drivers   []string
	State     string    // here
	Holder    string    // the node that holds it; empty for none, both names for two
	Since     time.Time // since when this node holds it; zero when it does not
	Claimed   time.Time // since when a 3.0.6 peer claims it; zero when it does not
	Failure   string    // why it would not start here
	Cut       string    // why its clients cannot be reached from here; empty if they can
}

// View looks at everything.
func (t *Takeover) View() View {
	v := View{
		Hold: t.Hold(), Stable: t.phase == stable && t.swap == nil && !t.inFlux(), Standby: t.standby, Activity: t.activity(),
		Peer: PeerView{Told: t.peer.told, Stable: t.peer.stable, Leaving: t.peer.leaving, Systole: t.peer.systole},
	}
	for _, g := range t.groups {
		gv := GroupView{Key: g.key, Preferred: g.Preferred, Resources: g.names, Drivers: g.drivers, State: g.state, Failure: g.failure, Cut: g.way.why(t.now)}
		if g.aim == hold && g.holds() {
			gv.Holder, gv.Since = t.cfg.Self, g.held
		}
		if t.peer.alive && t.peer.has(g) {
			if gv.Holder != "" {
				gv.Holder += " "
			}
			gv.Holder += t.cfg.Peer
			if t.peer.foreign {
				gv.Claimed = t.peer.begun[g.index]
			}
		}
		v.Groups = append(v.Groups, gv)
	}
	return v
}

func (t *Takeover) activity() string {
	switch {
	case t.phase == waiting:
		return "waiting until every node is heard or given up"
	case t.phase == joining:
		return "waiting for " + t.cfg.Peer + " to say what it holds"
	case t.mayFence() && !t.fence.failed:
		return "making sure that " + t.cfg.Peer + " is off"
	case t.mayFence():
		return "waiting for " + t.cfg.Peer + " to be off: " + t.fence.reason
	case t.phase == leaving:
		return "stopping: groups are being released"
	case t.phase == left:
		return "stopped"
	case t.swap != nil && t.swap.role == giver:
		return "giving " + t.swap.scope + " groups to " + t.cfg.Peer
	case t.swap != nil:
		return "taking groups from " + t.cfg.Peer
	case t.inFlux():
		return "groups are starting or stopping"
	}
	return ""
}
