package event

import "time"

// FenceStarted reports that a silent peer is to be switched off before this
// node takes its groups.
type FenceStarted struct {
	Peer    string
	Trigger string        // peer_dead; start: it was never heard
	Action  string        // off, reboot
	Delay   time.Duration // before the first try: this node held less than the peer
	Trace   string        // of the incident: 32 hex digits
}

// FenceAttempted reports the end of one try of one device.
type FenceAttempted struct {
	Peer    string
	Method  string // the fence agent or plugin
	Action  string // off, reboot
	Level   int    // from 1
	Attempt int    // at this level, from 1
	Result  string // ok: the peer is off by its word; failed, timeout
	Took    time.Duration
	Error   string
	Trace   string // as FenceStarted has it
}

// FenceCompleted reports that a silent peer need not be switched off any more.
type FenceCompleted struct {
	Peer   string
	Result string        // off; confirmed by a person; aborted: the peer is heard again
	By     string        // the fence agent or plugin, or operator; empty where aborted
	Took   time.Duration // since FenceStarted
	Trace  string        // as FenceStarted has it
}

// FenceFailed reports that every way to switch a silent peer off has failed, or
// that one was believed which had not done it.
type FenceFailed struct {
	Peer  string
	Error string // the newest
	Next  string // what is done about it
	Trace string // as FenceStarted has it
}
