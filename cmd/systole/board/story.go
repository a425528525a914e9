package board

import (
	"fmt"
	"strings"
	"time"

	"github.com/systole-ha/systole/agent/control"
)

// Story tells a takeover in one line, as seen at the instant now.
func Story(t control.Takeover, now time.Time) string {
	groups := fmt.Sprintf("%d groups", len(t.Groups))
	if len(t.Groups) == 1 {
		groups = "1 group"
	}
	if t.Finished.IsZero() {
		return fmt.Sprintf("%s: %s, under way for %s", occasion(t), groups, Short(now.Sub(t.Started)))
	}
	text := fmt.Sprintf("%s: %s in %s", occasion(t), groups, Short(time.Duration(t.Took)))
	if t.Outage > 0 {
		text += fmt.Sprintf(", outage %s", Short(time.Duration(t.Outage)))
	}
	if t.Result != "success" {
		text += ", " + strings.ToUpper(t.Result)
	}
	return text
}

// occasion is why it came to a takeover.
func occasion(t control.Takeover) string {
	switch t.Trigger {
	case "peer_dead":
		return t.Peer + " died"
	case "peer_left":
		return t.Peer + " left"
	case "standby":
		return t.Peer + " went standby"
	case "takeover":
		return "asked of " + t.Peer
	case "failback":
		return "failback from " + t.Peer
	}
	return t.Trigger
}
