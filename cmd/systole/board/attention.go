package board

import (
	"fmt"
	"strings"
	"time"

	"github.com/systole-ha/systole/agent/config"
	"github.com/systole-ha/systole/agent/control"
	"github.com/systole-ha/systole/agent/membership"
)

// A Notice is something that an operator should know before anything else.
type Notice struct {
	Bad  bool // not as it should be; else merely under way
	Text string
}

// Mark tells the two kinds apart without a colour.
func (n Notice) Mark() string {
	if n.Bad {
		return "!"
	}
	return ">"
}

// Attention is what stands at the top, the worst first.
func Attention(st control.Status) []Notice {
	var notices []Notice
	bad := func(format string, args ...any) {
		notices = append(notices, Notice{true, fmt.Sprintf(format, args...)})
	}
	if s := st.SplitBrain; s != nil {
		bad("split brain suspected for %s: %s says that it holds %s too", Short(st.Time.Sub(s.Since)), s.Peer, strings.Join(s.Groups, ", "))
	}
	for _, g := range st.Groups {
		if len(g.Holders) == 0 && st.Activity == "" {
			bad("%s is held by nobody", g.Group)
		}
		if g.Failure != "" {
			bad("%s would not start here: %s", g.Group, g.Failure)
		}
	}
	if p := st.Permission; p.Policy != "" && !p.Held {
		bad("no permission to hold anything, policy %s: nothing runs here", p.Policy)
	}
	if l := st.Lease; l != nil && l.Weaker {
		bad("the gate of nftables cannot be had: this node may answer beside its peer for up to %s if it stands still", Short(time.Duration(l.Length)))
	}
	if l := st.Lease; l != nil && l.Unrenewed {
		bad("leases are not renewed: addresses will be lost")
	}
	for _, a := range st.Permission.Arbiters {
		if a.Asked && !a.Up {
			bad("arbiter %s does not answer: %s", Clean(a.Arbiter), Clean(a.Error))
		}
	}
	for _, l := range st.Links {
		switch {
		case !l.Open && l.Error == "":
			bad("%s is not open yet", l.Link)
		case !l.Open:
			bad("%s is not open: %s", l.Link, l.Error)
		}
	}
	for _, c := range st.Readiness {
		if !c.Ready {
			bad("a takeover here would not work, %s: %s", c.Check, c.Reason)
		}
	}
	for _, p := range st.Pending {
		bad("%s", onDisk(p))
	}
	for _, m := range st.Nodes {
		if m.State == membership.Dead {
			bad("%s is dead", m.Node)
		} else if dead := deadLinks(m); len(dead) > 0 {
			bad("%s is not heard on %s", m.Node, strings.Join(dead, ", "))
		}
		for _, file := range m.ConfigDrift {
			bad("%s of %s is not like ours", file, m.Node)
		}
	}
	if !st.StandbySince.IsZero() {
		bad("in standby for %s", Short(st.Time.Sub(st.StandbySince)))
	}
	if st.Activity != "" {
		notices = append(notices, Notice{Text: st.Activity})
	}
	return notices
}

// deadLinks is the links that do not carry from a node that is heard on others.
func deadLinks(m control.Member) []string {
	var dead []string
	for _, l := range m.Links {
		if !l.Up {
			dead = append(dead, l.Link)
		}
	}
	if m.Self || len(dead) == len(m.Links) {
		return nil
	}
	return dead
}

// onDisk says of a file what would take it.
func onDisk(p control.Pending) string {
	switch {
	case p.Error != "":
		return fmt.Sprintf("with %s on disk systole would not start: %s", p.File, p.Error)
	case p.File == config.Authkeys:
		return p.File + " on disk is not what runs: reload to take it"
	}
	return p.File + " on disk is not what runs: restart to take it"
}
