package event

import "time"

// NodeStarted reports that this daemon has opened its links.
type NodeStarted struct {
	Version    string
	Generation uint64
	ConfigHash string
	PID        int
	Realtime   bool // scheduled in real time
	Locked     bool // memory locked
}

// NodeJoined reports that this daemon takes part: every node has been heard, or
// is known to be dead.
type NodeJoined struct {
	Took     time.Duration // since the daemon began
	Peer     string        // the one that had called this node dead; empty where none says so
	Incident string        // the trace of that death, as the peer tells it
	Trace    string        // of the joining, and of what is started at it: 32 hex digits
}

// NodeStopping reports that this daemon was told to stop.
type NodeStopping struct {
	Reason string
	Holds  string // none, local, foreign, all, transition
}

// NodeRestarting reports that this daemon ends for systemd to start it again:
// what it holds stays as it is.
type NodeRestarting struct {
	Holds string // none, local, foreign, all, transition
}

// NodeStopped reports that everything was released and the peer was told.
type NodeStopped struct{ Took time.Duration }

// NodeSuspended reports that this machine was suspended, or its clock stood still
// for another reason. Where Missed, the peer may have taken everything: all is
// given up, and this node listens before it takes anything.
type NodeSuspended struct {
	Slept  time.Duration
	Missed bool
}

// WatchdogArmed reports a watchdog device that resets this machine where the
// daemon does not feed it.
type WatchdogArmed struct {
	Device   string
	Identity string // by its driver
	Timeout  time.Duration
	Disarms  bool // it stops when the daemon ends in good order
}

// WatchdogFed reports that the device was fed.
type WatchdogFed struct {
	Gap  time.Duration // since the last time
	Took time.Duration // by its driver
}

// WatchdogNearMiss reports that more than half of the timeout had passed.
type WatchdogNearMiss struct {
	Gap     time.Duration
	Timeout time.Duration
}

// WatchdogFailed reports a device that cannot be opened, or not be fed; told once
// for each spell of failures.
type WatchdogFailed struct {
	Error string
}

// LinkOpened reports that a link's socket or line is usable.
type LinkOpened struct {
	Link, Medium string
	Unused       bool // it leads to this very machine: the peer's line of a ha.cf that both share
}

// LinkClosed reports that a link's socket or line is not usable at present.
type LinkClosed struct{ Link, Medium, Error string }

// OperatorCommand reports a request over the control socket.
type OperatorCommand struct {
	Command   string
	Arguments string
	UID       int
	Result    string // accepted, refused
	Reason    string
}

// TelemetryDegraded reports records a sink could not take.
type TelemetryDegraded struct {
	Sink    string
	Dropped uint64 // since the last report
}

// ConfigReloaded reports that a file was read again and is in use.
type ConfigReloaded struct {
	File    string   // authkeys: the others take a restart
	Keys    []string // number and method of each key: "2 sha1"; never the secret
	Changed []string // the names of what is different, "key 2" or "send", never the values
}

// ConfigReloadFailed reports that a file was read again and refused: what was
// in use before stays in use.
type ConfigReloadFailed struct {
	File   string
	Error  string // the first
	Errors int    // how many there are
}

// ConfigPending reports that a file on disk is not what this daemon runs, so
// that a restart would change something, or, where Agrees, that it is again.
type ConfigPending struct {
	File   string
	Error  string // why the daemon would not start with it; empty where it would
	Agrees bool
}

// RecorderDumped reports that the execution flight recorder was written.
type RecorderDumped struct {
	Trigger string // stall, false_death, takeover_slow, takeover_failed, request
	Path    string
	Size    int // bytes
	Error   string
}
