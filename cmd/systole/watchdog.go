package main

import (
	"fmt"

	"github.com/systole-ha/systole/agent"
	"github.com/systole-ha/systole/agent/config"
	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/agent/watchdog"
)

// openWatchdog arms the watchdog device, if one is configured. One that cannot
// be had must not keep the node from serving. What became of it is the event,
// for the agent to tell.
func (d *daemon) openWatchdog() (agent.Watchdog, event.Event) {
	if d.cfg.Watchdog == "" {
		return nil, nil
	}
	timeout, _ := d.cfg.WatchdogTimeout()
	w, err := watchdog.Open(d.cfg.Watchdog, timeout)
	if err != nil {
		return nil, event.WatchdogFailed{Error: err.Error()}
	}
	return w, event.WatchdogArmed{Device: w.Path(), Identity: w.Identity(), Timeout: w.Timeout(), Disarms: w.Disarms()}
}

// watchdogText says what a watchdog device does.
func watchdogText(c *config.Config) string {
	timeout, inTime := c.WatchdogTimeout()
	when := "before its peer takes over"
	if !inTime {
		when = "but only after its peer has taken over: deadtime is too short"
	}
	return fmt.Sprintf("%s, %s: a node that hangs is reset, %s", c.Watchdog, config.Human(timeout), when)
}
