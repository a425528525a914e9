package board

import (
	"fmt"
	"strings"
	"time"

	"github.com/systole-ha/systole/agent/control"
)

// Timing is the times by which a node judges, and for how long it holds its
// addresses without being heard of.
func Timing(st control.Status) string {
	line := fmt.Sprintf("keepalive %s, warntime %s, deadtime %s", length(st.Keepalive), length(st.Warntime), length(st.Deadtime))
	if st.Lease != nil {
		line += ", lease " + length(st.Lease.Length)
	}
	return line
}

// Permission is a line about what lets this node hold addresses: the policy
// and its verdict.
func Permission(st control.Status) string {
	p := st.Permission
	if p.Policy == "" || p.Policy == "none" {
		return "permission none: this node holds on whatever it hears"
	}
	line := "permission " + p.Policy + ": " + evidence(p)
	if p.Held && p.Left > 0 {
		line += ", good for " + Short(time.Duration(p.Left))
	}
	if p.Needed == 0 {
		return line
	}
	var voters []string
	for _, a := range p.Arbiters {
		voters = append(voters, Clean(a.Arbiter)+" "+voter(a))
	}
	return fmt.Sprintf("%s; %s", line, strings.Join(voters, ", "))
}

func evidence(p control.Permission) string {
	switch p.Evidence {
	case "peer":
		return "the peer hears us"
	case "peer_off":
		return "the peer is off"
	case "vote":
		return "WE HAVE THE VOTE"
	case "ping":
		return "A PING NODE ANSWERS"
	}
	return "THERE IS NONE"
}

func voter(a control.Voter) string {
	switch {
	case !a.Asked:
		return "not asked yet"
	case !a.Up:
		return "DOES NOT ANSWER"
	case a.Left > 0:
		return "votes for us"
	case a.Holder != "":
		return "votes for " + Clean(a.Holder)
	}
	return "answers"
}
