// Package sentence says in a sentence what happened: the MESSAGE of a journal
// entry, the body of a log record, the message of a webhook. The journal's test
// has an example of each kind.
package sentence

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/systole-ha/systole/agent/event"
)

// Of says what happened, for somebody who reads it at three
// in the morning and has no manual. Where heartbeat 3.0.6 logged the same, its
// words are kept: "late heartbeat", "link alpha:eth0 dead", "shutdown in
// progress". Resources are spelled as haresources spells them.
func Of(r event.Record) string {
	switch e := r.Event.(type) {
	case event.NodeStarted:
		return fmt.Sprintf("systole %s started: generation %d, %s, %s", e.Version, e.Generation,
			either(e.Realtime, "scheduled in real time", "not scheduled in real time"),
			either(e.Locked, "memory locked", "memory not locked"))
	case event.NodeJoined:
		return fmt.Sprintf("taking part after %s%s", length(e.Took), either(e.Peer == "", "", "; "+e.Peer+" had called this node dead"))
	case event.NodeStopping:
		return fmt.Sprintf("shutdown in progress (%s): %s", cmp.Or(e.Reason, "asked"), givingUp(e.Holds))
	case event.NodeRestarting:
		return fmt.Sprintf("restart in progress, holding %s: nothing is given up", holding(e.Holds))
	case event.NodeStopped:
		return fmt.Sprintf("shutdown complete: everything was released in %s", length(e.Took))
	case event.AgentLate:
		return fmt.Sprintf("our own loop ran %s late%s", length(e.Late), either(e.Held, "; no peer is declared dead by that time", ""))
	case event.LinkOpened:
		return fmt.Sprintf("%s link %s open", e.Medium, e.Link)
	case event.LinkClosed:
		return fmt.Sprintf("%s link %s closed: %s", e.Medium, e.Link, cmp.Or(e.Error, "no reason given"))
	case event.LinkUp:
		return fmt.Sprintf("link %s:%s up%s", e.Peer, e.Link, ifAny(e.Silence, " after %s of silence"))
	case event.LinkDown:
		return fmt.Sprintf("link %s:%s dead: silent for %s; %s", e.Peer, e.Link, length(e.Silence), linksLeft(e))
	case event.HeartbeatLate:
		return fmt.Sprintf("late heartbeat from %s on %s: silent for %s, warntime %s, deadtime %s%s", e.Peer, e.Link,
			length(e.Silence), length(e.Warntime), length(e.Deadtime), ifAny(e.Stall, "; our own loop was late by %s meanwhile"))
	case event.HeartbeatRejected:
		return fmt.Sprintf("%s on %s rejected: %s%s", count(e.Count, "datagram"), e.Link, words(e.Reason), after(e.Source, ", the last one from "))
	case event.MessageLost:
		return fmt.Sprintf("message %d of %s is lost for good: it cannot be sent again", e.Sequence, e.Peer)

	case event.PeerIdentified:
		return fmt.Sprintf("peer %s runs %s%s", e.Peer, daemon(e), after(e.AutoFailback, ", auto_failback "))
	case event.PeerStateChanged:
		return stateChanged(e)
	case event.PeerDead:
		return dead(e) + ifAny(e.Stall, "; our own loop was late by %s meanwhile")
	case event.PeerReturned:
		return fmt.Sprintf("peer %s is back after %s: %s", e.Peer, length(e.Away),
			either(e.SameGeneration, "it was cut off or stood still, and did not restart", "it restarted"))
	case event.PeerFalseDeath:
		return fmt.Sprintf("peer %s was declared dead and was alive all along: silent for %s%s; deadtime may be too small", e.Peer,
			length(e.Silence), ifAny(e.Stall, ", our own loop late by %s"))
	case event.PeerRestarted:
		return fmt.Sprintf("peer %s restarted%s before it was missed: generation %d%s", e.Peer, either(e.Announced, ", as it had said,", ""),
			e.Generation, ifAny(e.Away, ", away for %s"))
	case event.ConfigDrift:
		return drift(e)
	case event.SplitBrainSuspected:
		return fmt.Sprintf("split brain suspected: %s and %s both hold %s", r.Node, e.Peer, list(e.Groups))
	case event.SplitBrainCleared:
		return fmt.Sprintf("split brain over after %s: %s", length(e.Took), gaveUp(e))

	case event.TakeoverStarted:
		return fmt.Sprintf("taking over %s%s: %s", list(e.Groups), after(e.Peer, " from "), why(e.Trigger))
	case event.TakeoverPhase:
		return fmt.Sprintf("takeover %d: %s took %s", e.ID, e.Phase, length(e.Took))
	case event.TakeoverCompleted:
		return fmt.Sprintf("takeover of %s %s after %s%s", list(e.Groups), outcome(e.Result), length(e.Took), ifAny(e.Outage, "; clients went without for at most %s"))
	case event.TakeoverFailed:
		return fmt.Sprintf("group %s does not run here: %s of %s failed: %s; %s", e.Group, e.Operation, e.Resource, e.Error, cmp.Or(e.Next, "nothing is done about it"))
	case event.ReleaseStarted:
		return fmt.Sprintf("giving up %s%s: %s", list(e.Groups), after(e.Peer, " to "), why(e.Trigger))
	case event.ReleaseCompleted:
		return fmt.Sprintf("release of %s %s after %s", list(e.Groups), outcome(e.Result), length(e.Took))
	case event.MoveRefused:
		return fmt.Sprintf("%s refused %s of %s groups: %s", e.By, e.Request, cmp.Or(e.Groups, "all"), cmp.Or(e.Reason, "no reason given"))
	case event.GroupStateChanged:
		return fmt.Sprintf("group %s is %s (was %s)", e.Group, e.To, e.From)
	case event.HoldChanged:
		return fmt.Sprintf("this node holds %s (was %s)", holding(e.To), e.From)
	case event.ResourceOperation:
		return operation(e)
	case event.ResourceFailed:
		return fmt.Sprintf("resource %s of group %s failed to %s, attempt %d: %s", e.Resource, e.Group, e.Operation, e.Attempt, e.Error)

	case event.UnitStateChanged:
		return fmt.Sprintf("unit %s is %s%s%s", e.Unit, e.To, after(e.Sub, ", "), after(e.From, "; it was "))
	case event.UnitRestarted:
		return fmt.Sprintf("systemd restarted %s by itself%s: restart %d", e.Unit, after(e.Status, " after "), e.Restarts)
	case event.AddressChanged:
		return fmt.Sprintf("address %s is %s interface %s", e.Address, either(e.Present, "on", "no longer on"), cmp.Or(e.Interface, "unknown"))
	case event.ResourcePutBack:
		return fmt.Sprintf("%s is in its place again, %s after somebody took it away", e.Resource, length(e.Took))
	case event.AddressLost:
		return fmt.Sprintf("address %s on %s, held here, was taken away: %s", e.Address, e.Interface, cmp.Or(e.Cause, "by somebody else"))
	case event.AddressConflict:
		return fmt.Sprintf("%s answers on %s for %s, which is held here as %s", e.Theirs, e.Interface, e.Address, e.Ours)
	case event.AddressConflictCleared:
		return fmt.Sprintf("nobody else answers on %s for %s any more, after %s", e.Interface, e.Address, length(e.Took))
	case event.CarrierLost:
		return fmt.Sprintf("%s has no carrier: nobody reaches %s here", cmp.Or(e.Interface, "no interface"), list(e.Groups))
	case event.CarrierReturned:
		return fmt.Sprintf("%s has its carrier again, after %s: %s", cmp.Or(e.Interface, "an interface"), length(e.Away), list(e.Groups))
	case event.PingsCompared:
		return fmt.Sprintf("this node reaches %s, %s reaches %d", count(uint64(e.Ours), "ping node"), e.Peer, e.Theirs)
	case event.NodeSuspended:
		return fmt.Sprintf("this machine was suspended for %s%s", length(e.Slept), either(e.Missed, ": everything is given up, for the peer may have it", ""))
	case event.WatchdogArmed:
		return fmt.Sprintf("watchdog %s (%s) resets this machine where it is not fed for %s%s", e.Device, cmp.Or(e.Identity, "unknown"), length(e.Timeout), either(e.Disarms, "", "; it does not stop when the daemon does"))
	case event.WatchdogNearMiss:
		return fmt.Sprintf("the watchdog was not fed for %s, its timeout is %s", length(e.Gap), length(e.Timeout))
	case event.WatchdogFailed:
		return fmt.Sprintf("the watchdog does not guard this machine: %s", e.Error)
	case event.OwnerChanged:
		return owner(e)
	case event.LeaseLapsed:
		return fmt.Sprintf("this node stood still for %s, longer than the lease of its addresses, %s: they are gone, and every group with one is given up", length(e.Stood), length(e.Lease))
	case event.LeaseRestored:
		return "the lease of addresses is in force again: " + e.Reason
	case event.LeaseWeaker:
		if e.Lease == 0 {
			return "addresses are held for good, a node that stands still keeps them: " + e.Error
		}
		return fmt.Sprintf("a node that stands still keeps its addresses for %s, which may be longer than its peer waits: %s", length(e.Lease), e.Error)
	case event.LeaseNotRenewed:
		return fmt.Sprintf("leases of addresses are not renewed and will run out: %s", e.Error)
	case event.PermissionChanged:
		return fmt.Sprintf("permission to hold addresses (%s): %s%s", e.Policy, evidence(e.To), after(e.Reason, ": "))
	case event.ArbiterChanged:
		return fmt.Sprintf("arbiter %s %s%s", e.Arbiter, either(e.Up, "answers", "does not answer"), after(e.Error, ": "))
	case event.FenceStarted:
		return fmt.Sprintf("%s is to be switched off (%s) before its groups are taken%s", e.Peer, e.Action, ifAny(e.Delay, "; in %s, since it held more than this node"))
	case event.FenceAttempted:
		return fmt.Sprintf("%s %s of %s: %s after %s%s", e.Method, e.Action, e.Peer, e.Result, length(e.Took), after(e.Error, ": "))
	case event.FenceCompleted:
		return fenced(e)
	case event.FenceFailed:
		return fmt.Sprintf("%s is not known to be off: %s; %s", e.Peer, e.Error, e.Next)
	case event.ReadinessChanged:
		return fmt.Sprintf("readiness check %s: %s%s", words(e.Check), either(e.Ready, "fine", "a takeover here would not work"), after(e.Reason, ": "))

	case event.ConfigReloaded:
		return fmt.Sprintf("%s read again%s", e.File, after(strings.Join(e.Changed, ", "), ": changed "))
	case event.ConfigReloadFailed:
		return fmt.Sprintf("%s read again and refused, what was in use stays in use: %s%s", e.File, e.Error, more(e.Errors))
	case event.ConfigPending:
		return pending(e)
	case event.ClockSkew:
		return clock(e)
	case event.RecorderDumped:
		return fmt.Sprintf("flight recorder (%s): %s", words(e.Trigger), cmp.Or(e.Error, fmt.Sprintf("%d bytes in %s", e.Size, e.Path)))
	case event.OperatorCommand:
		return fmt.Sprintf("%s from user %d: %s%s", strings.TrimSpace(e.Command+" "+e.Arguments), e.UID, e.Result, after(e.Reason, ": "))
	case event.TelemetryDegraded:
		return fmt.Sprintf("%s to %s dropped: it does not keep up", count(e.Dropped, "record"), e.Sink)
	}
	return event.Text(r.Event)
}
