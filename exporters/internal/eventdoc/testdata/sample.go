package sample

import "time"

// Sample is an event.
type Sample struct {
	Peer, Link string
	Silence    time.Duration // on all links
	From, To   string        // a, b
	// said before
	// the field
	Groups []string
}

// Empty has no fields.
type Empty struct{}
