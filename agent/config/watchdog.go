package config

import "time"

// watchdogSlack is how long after its timeout a watchdog may take to stop the
// machine: drivers count in whole seconds, or in ticks of their own.
const watchdogSlack = 500 * time.Millisecond

// leastWatchdog is the shortest timeout that is asked for: a machine that is
// busy, or virtual, stands still for a second without being broken.
const leastWatchdog = 2 * time.Second

// WatchdogTimeout is what the watchdog device is set to: whole seconds, so that
// a node that hangs is reset before its peer takes over, for the reason that
// safeLifetime has. In time says that it is; where deadtime is too short for
// that the machine is reset all the same, later.
func (c *Config) WatchdogTimeout() (timeout time.Duration, inTime bool) {
	timeout = (c.Deadtime - c.Keepalive - watchdogSlack).Truncate(time.Second)
	if timeout < leastWatchdog {
		return leastWatchdog, false
	}
	return timeout, true
}
