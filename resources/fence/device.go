// Package fence switches nodes off: by the fence agents of ClusterLabs
// (fence_ipmilan and the like, or a program of one's own that speaks as they
// do), and by the plugins of cluster-glue that Heartbeat used.
//
// Nothing is taken for off that did not say so: an agent that fails, hangs or
// is not there is an error, and what follows from that is for others to judge.
package fence

import (
	"errors"
	"path"
	"strings"
)

// An Action is what is asked of a device.
type Action string

// The actions.
const (
	Off     Action = "off"     // switch the node off, and return when it is
	Reboot  Action = "reboot"  // switch it off and on again: it has been off in between
	Monitor Action = "monitor" // say whether the device would do it
)

// What stands for an agent and is none.
const (
	// Null says that every node is off, and does nothing. It is for tests of
	// everything else.
	Null = "unsafe-null"
	// Manual never succeeds: a person has to say that the node is off.
	Manual = "manual"
	// Glue stands before the name of a plugin of cluster-glue.
	Glue = "stonith:"
)

// ErrManual is what the Manual device answers.
var ErrManual = errors.New("a person has to switch the node off and to say so")

// A Parameter is one that an agent is given.
type Parameter struct{ Name, Value string }

// A Device is what switches one node off.
type Device struct {
	Node  string // whom
	Agent string // fence_…, the absolute path of a program that speaks as one, Glue and a plugin, Null or Manual

	Parameters []Parameter
	Secrets    Secrets

	// What a plugin of cluster-glue reads instead of parameters, as ha.cf has
	// it: a line, kept from fmt since it may hold a password, or the file that
	// holds it.
	Line func() string
	File string
}

// Secrets are parameters that are shown to nobody: not to fmt, not in what an
// agent says, not on a command line.
type Secrets struct{ read func() []Parameter }

// NewSecrets hides parameters.
func NewSecrets(parameters []Parameter) Secrets {
	return Secrets{func() []Parameter { return parameters }}
}

func (s Secrets) values() []Parameter {
	if s.read == nil {
		return nil
	}
	return s.read()
}

func (d Device) line() string {
	if d.Line == nil {
		return ""
	}
	return d.Line()
}

// Method is what metrics call the device: its agent, without the folder.
func (d Device) Method() string {
	if strings.HasPrefix(d.Agent, "/") {
		return path.Base(d.Agent)
	}
	return d.Agent
}

// plugin is the plugin of cluster-glue that the device uses.
func (d Device) plugin() (name string, ok bool) { return strings.CutPrefix(d.Agent, Glue) }

// given reports whether the device is configured with a parameter.
func (d Device) given(name string) bool {
	for _, p := range append(d.Secrets.values(), d.Parameters...) {
		if p.Name == name {
			return true
		}
	}
	return false
}

// Unsafe says why a device may say that a node is off that is not; empty where
// its word can be taken.
func (d Device) Unsafe() string {
	plugin, _ := d.plugin()
	switch {
	case d.Agent == Null:
		return "it does nothing and says that it is done: for tests only"
	case plugin == "null":
		return "the plugin does nothing and says that it is done: for tests only"
	case plugin == "ssh" || plugin == "external/ssh":
		return "the plugin asks the node itself, by ssh: one that is frozen or cut off cannot do it, and that is when it is asked"
	case plugin == "suicide":
		return "the plugin can only switch off the node that it runs on"
	case d.Agent == "fence_dummy":
		return "the agent does nothing and says that it is done: for tests only"
	case d.Agent == "fence_ack_manual":
		return "the agent takes a person's word from a file: write manual, and use systole fence --confirm"
	case d.Agent == "fence_kdump" || plugin == "external/kdumpcheck":
		return "it only says whether the node writes a crash dump: one that does not stays as it is"
	}
	return ""
}

// ByHand reports whether a person has to act before the device says anything.
func (d Device) ByHand() bool {
	plugin, _ := d.plugin()
	return d.Agent == Manual || plugin == "meatware"
}
