package interop

import "time"

// killed kills Debian's heartbeat while it holds everything, and starts it again
// before it is missed: it comes back knowing of what prefers it only, and all
// addresses are still there. systole leaves them there, and has it know of all.
func (s *stage) killed() {
	s.t.Helper()
	s.order(s.theirs, "hb_takeover", "all")
	s.all(s.theirs)
	s.placed()
	s.truthful()
	began := time.Now()
	s.run(s.theirs, "/bin/sh", "-c", "systemctl kill --signal=KILL heartbeat.service; systemctl reset-failed heartbeat.service; systemctl start heartbeat.service")
	s.t.Logf("Heartbeat killed and started in %v", time.Since(began))
	s.truthful()
	s.placed()
	if both := s.both(began); both > 0 {
		s.t.Errorf("Heartbeat killed and back: two nodes held an address for %v", both)
	}
}
