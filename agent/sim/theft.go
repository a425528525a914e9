package sim

import (
	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/agent/event"
)

// Steal takes a resource away behind the daemon's back, as a network manager
// does. The watch of the kernel tells the daemon; one that holds nothing of it
// passes over it. What the daemon has just in hand cannot be stolen: the driver
// would put it up again itself.
func (n *Node) Steal(resource string) {
	if !n.running[resource] || n.busyWith[resource] > 0 {
		return
	}
	delete(n.running, resource)
	n.step(core.Lost{Event: event.AddressLost{Address: resource, Interface: serviceInterface, Cause: "removed"}, Resources: []string{resource}})
}
