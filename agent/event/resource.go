package event

import "time"

// UnitStateChanged reports a new ActiveState of a unit of haresources, or the
// first look at it, when From is empty. From and To are equal where an active
// unit stays active and only Sub is new: a service whose process ended goes from
// running to exited.
type UnitStateChanged struct {
	Unit     string
	From, To string // active, reloading, inactive, failed, activating, deactivating
	Sub      string // systemd's finer word: running, exited, auto-restart
}

// UnitRestarted reports that systemd restarted a unit by itself (Restart= in
// the unit).
type UnitRestarted struct {
	Unit     string
	Restarts uint64 // since the unit was last started by hand or by us: systemd's NRestarts
	Count    uint64 // restarts since the last one told: more than 1 where systemd could not be heard meanwhile
	Status   string // how the main process ended: "exited 1", "killed SEGV"; empty where systemd does not say
}

// AddressChanged reports that the kernel has an address of haresources, or has
// it no more, whoever did it.
type AddressChanged struct {
	Address   string // as haresources spells the resource's address, without the prefix
	Interface string
	Present   bool
}

// AddressLost reports that an address that this node holds was taken away by
// somebody else.
type AddressLost struct {
	Address   string
	Interface string
	Cause     string // what is known of it: "removed", "the interface went down", "the interface is gone"
}

// ResourcePutBack reports that a resource which somebody else took away, and
// which this node holds, is in its place again.
type ResourcePutBack struct {
	Group    string
	Resource string
	Took     time.Duration // since its loss was told
}

// AddressConflict reports that another machine answers for an address that
// this node holds.
type AddressConflict struct {
	Address   string
	Interface string
	Ours      string // MAC
	Theirs    string // MAC
}

// AddressConflictCleared reports that nobody else has answered for the address
// for a while, or that it is no longer held here.
type AddressConflictCleared struct {
	Address   string
	Interface string
	Took      time.Duration // from the first packet of another machine to this word
}

// AddressAnnounced reports gratuitous ARPs, or unsolicited neighbour
// advertisements, for an address.
type AddressAnnounced struct {
	Address   string
	Interface string
	Sent      uint64
	Failed    uint64
	Error     string // of the last that failed
}

// CarrierLost reports an interface that has lost its carrier, or is down or
// gone: the addresses of these groups cannot be reached here, whether they are
// held here or not.
type CarrierLost struct {
	Interface string // empty where the machine has none for them
	Groups    []string
}

// CarrierReturned reports an interface that has its carrier again. Groups are
// moved because of it only once it has been there for some seconds.
type CarrierReturned struct {
	Interface string
	Groups    []string
	Away      time.Duration
}

// OwnerChanged reports that a group has another proven owner, or none. A node
// is proven to own a group while it says so: this one by its own look at the
// resources, its peer by its messages. Cause is that of the loss; where there
// was no owner, start, and adopted where the daemon found it running.
type OwnerChanged struct {
	Group    string
	From, To string        // nodes; empty for none
	Cause    string        // peer_dead, peer_left, standby, takeover, failback, failure, yield, lapse, carrier, ping, restart, shutdown, start, adopted
	Unowned  time.Duration // how long nobody was proven to own it before To did; 0 where nobody had before
	Since    time.Time     // the last proof of From; zero where nobody was known to own it
	Trace    string        // of the move; empty where it is not ours
}

// LeaseLapsed reports that this node stood still for longer than the leases of
// its addresses: the kernel has removed them, another node may have them, and
// every group with one is given up.
type LeaseLapsed struct {
	Lease time.Duration
	Stood time.Duration // since the last renewal, by a clock that stops while the machine is suspended
}

// LeaseNotRenewed reports addresses whose lease could not be renewed: they run
// out in their time.
type LeaseNotRenewed struct{ Error string }

// LeaseRestored reports that somebody else had taken the lease of addresses
// away, and that it is in force again.
type LeaseRestored struct{ Reason string }

// LeaseWeaker reports that this machine cannot have a lease that is wanted.
// What is left of it is Lease, which may be longer than the peer waits.
type LeaseWeaker struct {
	Error string
	Lease time.Duration // 0: addresses are held for good
}

// ReadinessChanged reports the verdict of one readiness check, the first one or
// another than before.
type ReadinessChanged struct {
	Check  string // units_loadable, interface_up, address_free, link_redundant, config_match, clock, disk, fence_device
	Ready  bool
	Reason string // what is wrong, or what was looked at
}
