package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/systole-ha/systole/agent/control"
	"github.com/systole-ha/systole/agent/membership"
)

// A command is one sub-command: what it takes, and the function that answers.
// What heartbeat says of mistakes is not the same for all.
type command struct {
	options    string // as for getopt
	complaint  string // about an option that is not one
	parameters int    // at least
	missing    string // what is said when there are fewer
	answer     func(*query) int
}

const (
	character     = "character ?"
	characterCode = "character code ?"
	notEnough     = "Not enough parameters."
	noEnough      = "No enough parameter."
)

var commands = map[string]command{
	"hbstatus":     {options: "mv", answer: hbstatus},
	"listnodes":    {options: "mpnv", complaint: characterCode, answer: listnodes},
	"nodestatus":   {options: "m", complaint: character, parameters: 1, missing: notEnough, answer: nodestatus},
	"nodeweight":   {options: "m", complaint: character, parameters: 1, missing: notEnough, answer: nodeweight},
	"nodesite":     {options: "m", complaint: character, parameters: 1, missing: notEnough, answer: nodesite},
	"nodetype":     {options: "m", complaint: character, parameters: 1, missing: noEnough, answer: nodetype},
	"listhblinks":  {options: "mv", complaint: characterCode, parameters: 1, missing: noEnough, answer: listhblinks},
	"hblinkstatus": {options: "m", complaint: character, parameters: 2, missing: noEnough, answer: hblinkstatus},
	"clientstatus": {options: "m", complaint: character, parameters: 2, missing: noEnough, answer: clientstatus},
	"rscstatus":    {options: "m", complaint: character, answer: rscstatus},
	"hbparameter":  {options: "mp:", complaint: characterCode, answer: hbparameter},
	"test":         {answer: test},
}

// stopped is hbstatus without an answer of the daemon.
func (q *query) stopped(err error) int {
	code := negative
	if errors.Is(err, control.ErrPermission) {
		q.print("Heartbeat is apparently running on this machine, but refuses my connection")
		code = fine
	} else {
		q.print("Heartbeat is stopped on this machine.")
	}
	if q.verbose {
		q.print("(%s)", reason(err))
	}
	return code
}

func hbstatus(q *query) int {
	if !q.verbose {
		q.print("Heartbeat is running on this machine.")
		return fine
	}
	q.say("Heartbeat version "+q.version(), "version:\t"+q.version())
	q.say(`Resources controlled by "haresources"`, "managed by:\t\"haresources\"")
	return listnodes(q)
}

// version has the form of heartbeat's, "3.0.6 (node: …)".
func (q *query) version() string { return q.status.Version + " (systole)" }

// listnodes lists the last of ha.cf first, as heartbeat's client library does.
func listnodes(q *query) int {
	if q.sentences {
		q.print("The nodes are as follow:")
	}
	for _, m := range slices.Backward(q.status.Nodes) {
		if q.pings != q.normals && q.pings != (m.Type == control.Ping) {
			continue
		}
		if !q.verbose {
			q.print("%s", m.Node)
			continue
		}
		q.print("\n%s\t%s\t(nodetype: %s)", m.Node, q.state(m), m.Type)
		q.links(&m)
	}
	return fine
}

// node is the node that the command names, in any case; without one, complaint
// is said.
func (q *query) node(complaint string) *control.Member {
	m := q.status.Member(strings.ToLower(q.args[0]))
	if m == nil && complaint != "" {
		fmt.Fprintln(q.stderr, complaint)
	}
	return m
}

const incorrectName = "Error. May be due to incorrect node name"

// state is what heartbeat calls the state of a node. It has no word for a node
// that has said goodbye: that is active until its timer runs out, then dead. One
// that was never heard is dead once this node takes part, for then it was given up.
func (q *query) state(m control.Member) string {
	switch {
	case m.State == membership.Leaving:
		return membership.Active
	case m.State == membership.Unknown && (m.Heard || m.Type != control.Ping && q.status.State == membership.Active):
		return membership.Dead
	case m.State == membership.Unknown:
		return membership.Init
	}
	return m.State
}

func nodestatus(q *query) int {
	m := q.node(incorrectName)
	if m == nil {
		return badParameter
	}
	s := q.state(*m)
	q.say(fmt.Sprintf("The cluster node %s is %s", q.args[0], s), s)
	switch s {
	case membership.Active, membership.Up, membership.Ping:
		return fine
	}
	return negative
}

// weight is what every node weighs that nobody has set another for; systole has
// no way to set it.
const weight = 100

func nodeweight(q *query) int {
	if q.node("Error. Maybe due to incorrect node name.") == nil {
		return badParameter
	}
	q.say(fmt.Sprintf("The weight of the cluster node %s is %d", q.args[0], weight), fmt.Sprint(weight))
	return fine
}

// nodesite prints the site that nobody has set: nothing.
func nodesite(q *query) int {
	if q.node(incorrectName) == nil {
		return badParameter
	}
	q.say(fmt.Sprintf("The site of the cluster node %s is ", q.args[0]), "")
	return fine
}

func nodetype(q *query) int {
	m := q.node(incorrectName)
	if m == nil {
		return badParameter
	}
	q.say(fmt.Sprintf("The node %s's type: %s", q.args[0], m.Type), m.Type)
	return fine
}

// A medium is one link of one node, as heartbeat has it.
type medium struct {
	name string
	up   bool
}

// media is a node's links in heartbeat's order, the last of ha.cf first. A ping
// node has one, named like itself.
func media(m *control.Member) []medium {
	if m.Type == control.Ping {
		return []medium{{m.Node, m.State == membership.Ping}}
	}
	var all []medium
	for _, l := range slices.Backward(m.Links) {
		all = append(all, medium{l.Link, l.Up})
	}
	return all
}

func (m medium) state() string {
	if m.up {
		return "up"
	}
	return "dead"
}

func (q *query) links(m *control.Member) {
	if q.sentences {
		q.print("\tthis node has the following heartbeat links:")
	}
	for _, l := range media(m) {
		if q.verbose {
			q.print("\t%s\t%s", l.name, l.state())
		} else {
			q.print("\t%s", l.name)
		}
	}
}

func listhblinks(q *query) int {
	m := q.node("")
	if m == nil {
		q.error("Cannot start heartbeat link interface walk.")
		q.error("REASON: EINVAL")
		return unknownFailure
	}
	q.links(m)
	return fine
}

func hblinkstatus(q *query) int {
	if m := q.node(""); m != nil {
		all := media(m)
		if i := slices.IndexFunc(all, func(l medium) bool { return l.name == q.args[1] }); i >= 0 {
			q.say(fmt.Sprintf("The node %s's heartbeat link %s is %s", q.args[0], q.args[1], all[i].state()), all[i].state())
			if all[i].up {
				return fine
			}
			return negative
		}
	}
	q.error("Cannot get heartbeat link status")
	q.error("REASON: ")
	return unknownFailure
}

func clientstatus(q *query) int {
	if q.node("") == nil {
		q.error("Cannot get heartbeat client %s's status", q.args[1])
		q.error("REASON: No timely response.")
		return unknownFailure
	}
	q.print("offline")
	return negative
}

func rscstatus(q *query) int {
	q.say(fmt.Sprintf("This node is holding %s resources.", q.status.Hold), q.status.Hold)
	return fine
}

func hbparameter(q *query) int {
	if q.parameter == nil {
		q.error("parameter name required")
		return badParameter
	}
	value, err := q.value(*q.parameter)
	if errors.Is(err, control.ErrTimeout) {
		q.error("%v", err)
		return timedOut
	}
	if err != nil {
		q.error("Cannot get parameter %s's value", *q.parameter)
		q.error("REASON: %v", err)
		return negative
	}
	q.say(fmt.Sprintf("Heartbeat parameter %s's value: %s", *q.parameter, value), value)
	return fine
}

// errNone is why there is no such parameter: heartbeat gives no reason.
var errNone = errors.New("")

func (q *query) value(name string) (string, error) {
	if name == "hbversion" {
		return q.version(), nil
	}
	if name == "" {
		return "", errNone
	}
	value, known, err := q.client.Parameter(q.ctx, name)
	if err == nil && !known {
		err = errNone
	}
	return value, err
}

// test is heartbeat's own check of its client library.
func test(q *query) int {
	q.print("Dead time: %d\n keeplive time: %d\n mynodeid: %s\n rsc: %s",
		milliseconds(q.status.Deadtime), milliseconds(q.status.Keepalive), q.status.Node, q.status.Hold)
	return fine
}

func milliseconds(s control.Seconds) int64 { return int64(s) / 1e6 }
