package failover

import (
	"testing"
	"time"
)

// TestHeartbeatKilled kills Debian's heartbeat while it holds both groups and
// starts it again before it is missed: it comes back knowing of its own group
// only, and both addresses are still there. systole leaves them there, and has it
// know of both.
func TestHeartbeatKilled(t *testing.T) {
	m := newMixed(t, heartbeat, systole)
	for _, n := range m.nodes() {
		m.begin(n)
	}
	m.expect("joint start, alpha first", m.alpha, m.beta)
	m.order(m.alpha, "hb_takeover", "all", m.alpha, m.alpha)
	began := time.Now()
	m.run(m.alpha, "/bin/sh", "-c", "systemctl kill --signal=KILL heartbeat.service; systemctl reset-failed heartbeat.service; systemctl start heartbeat.service")
	t.Logf("killed and started in %v", time.Since(began))
	m.expect("alpha's daemon is back", m.alpha, m.alpha)
	m.neverTwo(ofAlpha, ofBeta)
}
