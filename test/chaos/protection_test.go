package chaos

import (
	"fmt"
	"strings"
	"time"
)

// A protection is what a cluster is configured with against what befalls its
// links, beyond two of them.
type protection struct {
	ha        string               // lines of ha.cf
	heartbeat string               // and those that Heartbeat needs besides
	yaml      string               // of systole.yaml
	begin     func(s *stage) error // starts what is asked; nil: nothing
}

var (
	unprotected = &protection{}
	// pings has the client as a ping node, whose loss is judged by ipfail, as
	// Heartbeat calls it.
	pings = &protection{ha: "ping 192.0.2.100\ndeadping DEADTIME\nrespawn hacluster /usr/lib/heartbeat/ipfail\n"}
)

// haCf is p's part of ha.cf.
func (p *protection) haCf(deadtime time.Duration) string {
	return strings.ReplaceAll(p.ha, "DEADTIME", fmt.Sprintf("%dms", deadtime.Milliseconds()))
}
