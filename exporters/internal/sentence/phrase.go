package sentence

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/systole-ha/systole/agent/event"
)

func givingUp(holds string) string {
	if holds == "none" || holds == "" {
		return "there is nothing to give up"
	}
	return "giving up " + holding(holds)
}

func holding(what string) string {
	switch what {
	case "none":
		return "no resources"
	case "transition":
		return "resources in transition"
	}
	return what + " resources"
}

func linksLeft(e event.LinkDown) string {
	if e.LinksLeft == 0 {
		return "no link to " + e.Peer + " is left"
	}
	return count(uint64(e.LinksLeft), "link") + " to " + e.Peer + " left"
}

func daemon(e event.PeerIdentified) string {
	if e.Wire == "heartbeat3" {
		return "heartbeat 3"
	}
	return strings.TrimSpace("systole " + e.Version)
}

// stateChanged tells ping nodes by their own state, which they have before or
// after; one that never answered cannot be told from a peer.
func stateChanged(e event.PeerStateChanged) string {
	switch {
	case e.To == "ping":
		return fmt.Sprintf("ping node %s answers", e.Peer)
	case e.From == "ping":
		return fmt.Sprintf("ping node %s no longer answers", e.Peer)
	}
	return fmt.Sprintf("status of node %s: %s (was %s)", e.Peer, e.To, e.From)
}

func dead(e event.PeerDead) string {
	if e.NeverHeard {
		return fmt.Sprintf("peer %s is dead: not heard in the %s since this node started", e.Peer, length(e.Silence))
	}
	return fmt.Sprintf("peer %s is dead: silent for %s, deadtime %s", e.Peer, length(e.Silence), length(e.Deadtime))
}

func drift(e event.ConfigDrift) string {
	if e.Ours == e.Theirs {
		return fmt.Sprintf("%s of peer %s is the same as ours again", e.File, e.Peer)
	}
	return fmt.Sprintf("%s of peer %s is not the same as ours: %s there, %s here", e.File, e.Peer, short(e.Theirs), short(e.Ours))
}

// short is as much of a hash as people compare.
func short(hash string) string { return cmp.Or(hash[:min(len(hash), 12)], "none") }

func gaveUp(e event.SplitBrainCleared) string {
	if e.Released == "both" {
		return "both nodes gave up some groups"
	}
	return e.Released + " gave up"
}

// why says what a trigger means to the node that acts on it.
func why(trigger string) string {
	switch trigger {
	case "peer_dead":
		return "the peer is dead"
	case "peer_left":
		return "the peer was shut down"
	case "standby", "takeover":
		return trigger + " was asked for"
	case "failback":
		return "failback to the preferred node"
	case "start":
		return "nobody holds them"
	case "failure":
		return "a resource would not run"
	case "shutdown":
		return "this node shuts down"
	case "yield":
		return "the other node keeps them after a split brain"
	case "lapse":
		return "its lease, or its permission to hold, ran out"
	case "carrier":
		return "clients cannot be reached from one node: no carrier"
	case "ping":
		return "one node reaches more ping nodes"
	case "cleanup":
		return "left running by an earlier daemon"
	}
	return words(trigger)
}

func outcome(result string) string {
	switch result {
	case "success":
		return "complete"
	case "partial":
		return "failed for some groups"
	}
	return "failed"
}

func operation(e event.ResourceOperation) string {
	switch e.Result {
	case "ok":
		return fmt.Sprintf("%s of %s took %s", e.Operation, e.Resource, length(e.Took))
	case "timeout":
		return fmt.Sprintf("%s of %s timed out after %s%s", e.Operation, e.Resource, length(e.Took), after(e.Error, ": "))
	}
	return fmt.Sprintf("%s of %s failed after %s%s", e.Operation, e.Resource, length(e.Took), after(e.Error, ": "))
}

// length is a duration with three digits or so: 512ms, 12.5s, 3m20s.
func length(d time.Duration) string {
	switch {
	case d >= time.Minute:
		return strings.Replace(d.Round(time.Second).String(), "m0s", "m", 1)
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d >= 10*time.Millisecond:
		return d.Round(time.Millisecond).String()
	}
	return d.Round(10 * time.Microsecond).String()
}

// ifAny is format with d in it, or nothing where d is zero.
func ifAny(d time.Duration, format string) string {
	if d == 0 {
		return ""
	}
	return fmt.Sprintf(format, length(d))
}

// after is text with lead before it, or nothing where there is no text.
func after(text, lead string) string {
	if text == "" {
		return ""
	}
	return lead + text
}

func either(condition bool, yes, no string) string {
	if condition {
		return yes
	}
	return no
}

func count(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// words is a name of the code for people: bad_signature → bad signature.
func words(name string) string { return strings.ReplaceAll(name, "_", " ") }

func list(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}

// owner says who holds a group now. No owner is what an operator must read
// first.
func owner(e event.OwnerChanged) string {
	switch {
	case e.To == "":
		return fmt.Sprintf("nobody is known to hold group %s: %s held it%s", e.Group, cmp.Or(e.From, "nobody"), after(words(e.Cause), ", "))
	case e.From == "" || e.From == e.To:
		return fmt.Sprintf("%s holds group %s%s", e.To, e.Group, ifAny(e.Unowned, ", after %s without a proven owner"))
	}
	return fmt.Sprintf("%s holds group %s, which %s held%s", e.To, e.Group, e.From, ifAny(e.Unowned, ", after %s without a proven owner"))
}

func more(errors int) string {
	if errors < 2 {
		return ""
	}
	return fmt.Sprintf(" (and %s)", count(uint64(errors-1), "other"))
}

func pending(e event.ConfigPending) string {
	switch {
	case e.Agrees:
		return e.File + " on disk is what runs again"
	case e.Error != "":
		return fmt.Sprintf("with %s as it is on disk this daemon would not start: %s", e.File, e.Error)
	}
	return fmt.Sprintf("%s on disk is not what runs: %s to take it", e.File, either(e.File == "authkeys", "reload", "restart"))
}

func clock(e event.ClockSkew) string {
	if e.Agrees {
		return fmt.Sprintf("the clock of peer %s agrees with ours again", e.Peer)
	}
	ahead := "ahead of"
	if e.Offset < 0 {
		ahead = "behind"
	}
	return fmt.Sprintf("the clock of peer %s is %s ours by %s, give or take %s", e.Peer, ahead, length(e.Offset.Abs()), length(e.OffsetError))
}

// evidence is what lets a node hold addresses.
func evidence(of string) string {
	switch of {
	case "peer":
		return "the peer hears us"
	case "peer_off":
		return "the peer is off"
	case "vote":
		return "we have the vote"
	case "ping":
		return "a ping node answers"
	}
	return "there is none, and everything is given up"
}

func fenced(e event.FenceCompleted) string {
	switch e.Result {
	case "aborted":
		return fmt.Sprintf("%s is heard again: it is not switched off any more", e.Peer)
	case "confirmed":
		return fmt.Sprintf("%s is off by the word of a person, after %s", e.Peer, length(e.Took))
	}
	return fmt.Sprintf("%s is off by the word of %s, after %s", e.Peer, e.By, length(e.Took))
}
