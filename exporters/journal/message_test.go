package journal

import (
	"strings"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/exporters/internal/sentence"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 123456789, time.UTC)

const (
	web = "IPaddr::192.0.2.10"
	sql = "IPaddr::192.0.2.20"
)

// sentences has every kind from info up at least once; the first of a kind is
// its example in docs/events.md.
var sentences = []struct {
	event event.Event
	want  string
}{
	{event.NodeStarted{Version: "0.1.0", Generation: 7, PID: 812, Realtime: true, Locked: true},
		"systole 0.1.0 started: generation 7, scheduled in real time, memory locked"},
	{event.NodeStarted{Version: "0.1.0", Generation: 7},
		"systole 0.1.0 started: generation 7, not scheduled in real time, memory not locked"},
	{event.NodeJoined{Took: 1500 * time.Millisecond, Peer: "beta", Incident: "4fa158557a6baac3e206ed1b900945e6"}, "taking part after 1.5s; beta had called this node dead"},
	{event.NodeJoined{Took: 30 * time.Second}, "taking part after 30s"},
	{event.NodeStopping{Reason: "SIGTERM", Holds: "local"}, "shutdown in progress (SIGTERM): giving up local resources"},
	{event.NodeRestarting{Holds: "local"}, "restart in progress, holding local resources: nothing is given up"},
	{event.NodeStopping{Holds: "none"}, "shutdown in progress (asked): there is nothing to give up"},
	{event.NodeStopped{Took: 1234 * time.Millisecond}, "shutdown complete: everything was released in 1.23s"},
	{event.AgentLate{Late: 812 * time.Millisecond, Held: true}, "our own loop ran 812ms late; no peer is declared dead by that time"},
	{event.AgentLate{Late: 12 * time.Millisecond}, "our own loop ran 12ms late"},
	{event.LinkOpened{Link: "eth0", Medium: "bcast"}, "bcast link eth0 open"},
	{event.LinkClosed{Link: "eth0", Medium: "bcast", Error: "network is down"}, "bcast link eth0 closed: network is down"},
	{event.LinkUp{Peer: "alpha", Link: "eth0", Silence: 12 * time.Second}, "link alpha:eth0 up after 12s of silence"},
	{event.LinkUp{Peer: "alpha", Link: "eth0"}, "link alpha:eth0 up"},
	{event.LinkDown{Peer: "alpha", Link: "eth0", Silence: 512 * time.Millisecond, LinksLeft: 1}, "link alpha:eth0 dead: silent for 512ms; 1 link to alpha left"},
	{event.LinkDown{Peer: "alpha", Link: "eth0", Silence: 512 * time.Millisecond}, "link alpha:eth0 dead: silent for 512ms; no link to alpha is left"},
	{event.HeartbeatLate{Peer: "alpha", Link: "eth0", Silence: 6 * time.Second, Warntime: 5 * time.Second, Deadtime: 10 * time.Second},
		"late heartbeat from alpha on eth0: silent for 6s, warntime 5s, deadtime 10s"},
	{event.HeartbeatLate{Peer: "alpha", Link: "eth0", Silence: 6 * time.Second, Warntime: 5 * time.Second, Deadtime: 10 * time.Second, Stall: 4200 * time.Millisecond},
		"late heartbeat from alpha on eth0: silent for 6s, warntime 5s, deadtime 10s; our own loop was late by 4.2s meanwhile"},
	{event.HeartbeatRejected{Link: "eth0", Source: "192.0.2.7", Reason: "bad_signature", Count: 70}, "70 datagrams on eth0 rejected: bad signature, the last one from 192.0.2.7"},
	{event.HeartbeatRejected{Link: "/dev/ttyS0", Reason: "malformed", Count: 1}, "1 datagram on /dev/ttyS0 rejected: malformed"},
	{event.MessageLost{Peer: "alpha", Sequence: 73}, "message 73 of alpha is lost for good: it cannot be sent again"},
	{event.PeerIdentified{Peer: "alpha", Wire: "systole", Version: "0.1.0", AutoFailback: "on"}, "peer alpha runs systole 0.1.0, auto_failback on"},
	{event.PeerIdentified{Peer: "alpha", Wire: "heartbeat3"}, "peer alpha runs heartbeat 3"},
	{event.PeerStateChanged{Peer: "alpha", From: "up", To: "active", Generation: 7}, "status of node alpha: active (was up)"},
	{event.PeerStateChanged{Peer: "192.0.2.1", From: "unknown", To: "ping"}, "ping node 192.0.2.1 answers"},
	{event.PeerStateChanged{Peer: "192.0.2.1", From: "ping", To: "dead"}, "ping node 192.0.2.1 no longer answers"},
	{event.PeerDead{Peer: "alpha", LastHeard: noon, Silence: 512 * time.Millisecond, Deadtime: 500 * time.Millisecond, Sequence: 73},
		"peer alpha is dead: silent for 512ms, deadtime 500ms"},
	{event.PeerDead{Peer: "alpha", Silence: 10 * time.Second, Deadtime: 10 * time.Second, Stall: 2 * time.Second},
		"peer alpha is dead: silent for 10s, deadtime 10s; our own loop was late by 2s meanwhile"},
	{event.PeerDead{Peer: "alpha", Silence: 120 * time.Second, Deadtime: 120 * time.Second, NeverHeard: true},
		"peer alpha is dead: not heard in the 2m since this node started"},
	{event.PeerReturned{Peer: "alpha", Away: 15500 * time.Millisecond}, "peer alpha is back after 15.5s: it restarted"},
	{event.PeerReturned{Peer: "alpha", Away: 12 * time.Second, SameGeneration: true},
		"peer alpha is back after 12s: it was cut off or stood still, and did not restart"},
	{event.PeerFalseDeath{Peer: "alpha", Silence: 12 * time.Second, Stall: 3 * time.Second},
		"peer alpha was declared dead and was alive all along: silent for 12s, our own loop late by 3s; deadtime may be too small"},
	{event.PeerFalseDeath{Peer: "alpha", Silence: 12 * time.Second},
		"peer alpha was declared dead and was alive all along: silent for 12s; deadtime may be too small"},
	{event.PeerRestarted{Peer: "alpha", Generation: 8}, "peer alpha restarted before it was missed: generation 8"},
	{event.PeerRestarted{Peer: "alpha", Generation: 8, Away: 270 * time.Millisecond, Announced: true}, "peer alpha restarted, as it had said, before it was missed: generation 8, away for 270ms"},
	{event.ConfigDrift{Peer: "alpha", File: "haresources", Ours: "0123456789abcdef", Theirs: "fedcba9876543210"},
		"haresources of peer alpha is not the same as ours: fedcba987654 there, 0123456789ab here"},
	{event.ConfigDrift{Peer: "alpha", File: "haresources", Ours: "01", Theirs: "01"}, "haresources of peer alpha is the same as ours again"},
	{event.SplitBrainSuspected{Evidence: "peer_claims", Peer: "alpha", Groups: []string{web, sql}},
		"split brain suspected: beta and alpha both hold IPaddr::192.0.2.10, IPaddr::192.0.2.20"},
	{event.SplitBrainCleared{Peer: "alpha", Released: "alpha", Took: 3200 * time.Millisecond}, "split brain over after 3.2s: alpha gave up"},
	{event.SplitBrainCleared{Peer: "alpha", Released: "both", Took: 3200 * time.Millisecond}, "split brain over after 3.2s: both nodes gave up some groups"},
	{event.TakeoverStarted{ID: 1, Trigger: "peer_dead", Peer: "alpha", Groups: []string{web, sql}},
		"taking over IPaddr::192.0.2.10, IPaddr::192.0.2.20 from alpha: the peer is dead"},
	{event.TakeoverStarted{ID: 1, Trigger: "start", Groups: []string{web}}, "taking over IPaddr::192.0.2.10: nobody holds them"},
	{event.TakeoverPhase{ID: 1, Phase: "address", Took: 43 * time.Millisecond}, "takeover 1: address took 43ms"},
	{event.TakeoverCompleted{ID: 1, Trigger: "peer_dead", Peer: "alpha", Groups: []string{web}, Result: "success", Took: 101 * time.Millisecond, Outage: 605 * time.Millisecond},
		"takeover of IPaddr::192.0.2.10 complete after 101ms; clients went without for at most 605ms"},
	{event.TakeoverCompleted{ID: 1, Trigger: "start", Groups: []string{web, sql}, Result: "partial", Took: 101 * time.Millisecond},
		"takeover of IPaddr::192.0.2.10, IPaddr::192.0.2.20 failed for some groups after 101ms"},
	{event.TakeoverFailed{ID: 1, Trigger: "peer_dead", Group: web, Resource: "nginx", Operation: "start", Error: "unit failed: exit-code", Next: "released here and offered to alpha"},
		"group IPaddr::192.0.2.10 does not run here: start of nginx failed: unit failed: exit-code; released here and offered to alpha"},
	{event.ReleaseStarted{ID: 2, Trigger: "standby", Peer: "alpha", Groups: []string{web}}, "giving up IPaddr::192.0.2.10 to alpha: standby was asked for"},
	{event.ReleaseStarted{ID: 2, Trigger: "yield", Groups: []string{web}}, "giving up IPaddr::192.0.2.10: the other node keeps them after a split brain"},
	{event.ReleaseCompleted{ID: 2, Trigger: "standby", Peer: "alpha", Groups: []string{web}, Result: "success", Took: 1500 * time.Millisecond},
		"release of IPaddr::192.0.2.10 complete after 1.5s"},
	{event.ReleaseCompleted{ID: 2, Trigger: "standby", Groups: []string{web}, Result: "failed", Took: 200 * time.Second}, "release of IPaddr::192.0.2.10 failed after 3m20s"},
	{event.MoveRefused{Request: "standby", By: "alpha", Groups: "all", Reason: "resources are in transition on alpha"},
		"alpha refused standby of all groups: resources are in transition on alpha"},
	{event.GroupStateChanged{Group: web, From: "starting", To: "running"}, "group IPaddr::192.0.2.10 is running (was starting)"},
	{event.HoldChanged{From: "local", To: "all"}, "this node holds all resources (was local)"},
	{event.HoldChanged{From: "local", To: "none"}, "this node holds no resources (was local)"},
	{event.HoldChanged{From: "local", To: "transition"}, "this node holds resources in transition (was local)"},
	{event.ResourceOperation{Group: web, Resource: "nginx", Driver: "systemd", Operation: "start", Result: "ok", Took: 1200 * time.Millisecond}, "start of nginx took 1.2s"},
	{event.ResourceOperation{Resource: "nginx", Operation: "stop", Result: "timeout", Took: 100 * time.Second, Error: "context deadline exceeded"},
		"stop of nginx timed out after 1m40s: context deadline exceeded"},
	{event.ResourceOperation{Resource: "nginx", Operation: "start", Result: "failed", Took: 15300 * time.Microsecond, Error: "exit-code"}, "start of nginx failed after 15ms: exit-code"},
	{event.ResourceFailed{Group: web, Resource: "nginx", Operation: "stop", Error: "job canceled", Attempt: 2}, "resource nginx of group IPaddr::192.0.2.10 failed to stop, attempt 2: job canceled"},
	{event.UnitStateChanged{Unit: "nginx.service", From: "active", To: "failed", Sub: "failed"}, "unit nginx.service is failed, failed; it was active"},
	{event.UnitStateChanged{Unit: "nginx.service", To: "active", Sub: "running"}, "unit nginx.service is active, running"},
	{event.UnitRestarted{Unit: "nginx.service", Restarts: 3, Status: "exited 1"}, "systemd restarted nginx.service by itself after exited 1: restart 3"},
	{event.AddressChanged{Address: "192.0.2.10", Interface: "eth0", Present: true}, "address 192.0.2.10 is on interface eth0"},
	{event.AddressChanged{Address: "192.0.2.10", Interface: "eth0"}, "address 192.0.2.10 is no longer on interface eth0"},
	{event.ResourcePutBack{Group: "IPaddr::192.0.2.10", Resource: "IPaddr::192.0.2.10", Took: 2 * time.Millisecond}, "IPaddr::192.0.2.10 is in its place again, 2ms after somebody took it away"},
	{event.AddressLost{Address: "192.0.2.10", Interface: "eth0", Cause: "removed"}, "address 192.0.2.10 on eth0, held here, was taken away: removed"},
	{event.AddressConflict{Address: "192.0.2.10", Interface: "eth0", Ours: "02:00:00:00:00:01", Theirs: "02:00:00:00:00:02"}, "02:00:00:00:00:02 answers on eth0 for 192.0.2.10, which is held here as 02:00:00:00:00:01"},
	{event.AddressConflictCleared{Address: "192.0.2.10", Interface: "eth0", Took: 12 * time.Second}, "nobody else answers on eth0 for 192.0.2.10 any more, after 12s"},
	{event.OwnerChanged{Group: web, From: "beta", Cause: "peer_dead"}, "nobody is known to hold group IPaddr::192.0.2.10: beta held it, peer dead"},
	{event.OwnerChanged{Group: web, From: "beta", To: "alpha", Cause: "peer_dead", Unowned: 500 * time.Millisecond}, "alpha holds group IPaddr::192.0.2.10, which beta held, after 500ms without a proven owner"},
	{event.OwnerChanged{Group: web, To: "alpha", Cause: "start"}, "alpha holds group IPaddr::192.0.2.10"},
	{event.CarrierLost{Interface: "eth0", Groups: []string{"IPaddr::192.0.2.10"}}, "eth0 has no carrier: nobody reaches IPaddr::192.0.2.10 here"},
	{event.CarrierReturned{Interface: "eth0", Groups: []string{"IPaddr::192.0.2.10"}, Away: 3 * time.Second}, "eth0 has its carrier again, after 3s: IPaddr::192.0.2.10"},
	{event.PingsCompared{Peer: "beta", Ours: 1, Theirs: 2}, "this node reaches 1 ping node, beta reaches 2"},
	{event.NodeSuspended{Slept: time.Hour, Missed: true}, "this machine was suspended for 1h0m: everything is given up, for the peer may have it"},
	{event.NodeSuspended{Slept: 2 * time.Second}, "this machine was suspended for 2s"},
	{event.WatchdogArmed{Device: "/dev/watchdog", Identity: "iTCO_wdt", Timeout: 8 * time.Second, Disarms: true}, "watchdog /dev/watchdog (iTCO_wdt) resets this machine where it is not fed for 8s"},
	{event.WatchdogArmed{Device: "/dev/watchdog", Timeout: 8 * time.Second}, "watchdog /dev/watchdog (unknown) resets this machine where it is not fed for 8s; it does not stop when the daemon does"},
	{event.WatchdogNearMiss{Gap: 5 * time.Second, Timeout: 8 * time.Second}, "the watchdog was not fed for 5s, its timeout is 8s"},
	{event.WatchdogFailed{Error: "open /dev/watchdog: device or resource busy"}, "the watchdog does not guard this machine: open /dev/watchdog: device or resource busy"},
	{event.LeaseLapsed{Lease: 8 * time.Second, Stood: 12 * time.Second}, "this node stood still for 12s, longer than the lease of its addresses, 8s: they are gone, and every group with one is given up"},
	{event.LeaseRestored{Reason: "the rules of the gate were removed"}, "the lease of addresses is in force again: the rules of the gate were removed"},
	{event.LeaseWeaker{Error: "nftables: operation not permitted", Lease: time.Second}, "a node that stands still keeps its addresses for 1s, which may be longer than its peer waits: nftables: operation not permitted"},
	{event.LeaseWeaker{Error: "nftables: operation not permitted"}, "addresses are held for good, a node that stands still keeps them: nftables: operation not permitted"},
	{event.LeaseNotRenewed{Error: "no such device"}, "leases of addresses are not renewed and will run out: no such device"},
	{event.PermissionChanged{Policy: "arbiter", From: "peer", To: "vote", Holds: "all"}, "permission to hold addresses (arbiter): we have the vote"},
	{event.PermissionChanged{Policy: "peer", From: "nothing", To: "peer", Holds: "none"}, "permission to hold addresses (peer): the peer hears us"},
	{event.PermissionChanged{Policy: "peer", From: "peer", To: "peer_off", Holds: "all"}, "permission to hold addresses (peer): the peer is off"},
	{event.PermissionChanged{Policy: "ping", From: "peer", To: "ping", Holds: "all"}, "permission to hold addresses (ping): a ping node answers"},
	{event.PermissionChanged{Policy: "arbiter", From: "peer", To: "nothing", Holds: "all", Reason: "beta has the vote of 192.0.2.9"},
		"permission to hold addresses (arbiter): there is none, and everything is given up: beta has the vote of 192.0.2.9"},
	{event.ArbiterChanged{Arbiter: "192.0.2.9", Up: true}, "arbiter 192.0.2.9 answers"},
	{event.ArbiterChanged{Arbiter: "192.0.2.9", Error: "no answer"}, "arbiter 192.0.2.9 does not answer: no answer"},
	{event.FenceStarted{Peer: "beta", Trigger: "peer_dead", Action: "off"}, "beta is to be switched off (off) before its groups are taken"},
	{event.FenceStarted{Peer: "beta", Trigger: "peer_dead", Action: "reboot", Delay: 5 * time.Second}, "beta is to be switched off (reboot) before its groups are taken; in 5s, since it held more than this node"},
	{event.FenceAttempted{Peer: "beta", Method: "fence_ipmilan", Action: "off", Level: 1, Attempt: 1, Result: "failed", Took: 3 * time.Second, Error: "unable to connect"}, "fence_ipmilan off of beta: failed after 3s: unable to connect"},
	{event.FenceCompleted{Peer: "beta", Result: "off", By: "fence_ipmilan", Took: 4 * time.Second}, "beta is off by the word of fence_ipmilan, after 4s"},
	{event.FenceCompleted{Peer: "beta", Result: "confirmed", By: "operator", Took: 4 * time.Second}, "beta is off by the word of a person, after 4s"},
	{event.FenceCompleted{Peer: "beta", Result: "aborted", Took: 4 * time.Second}, "beta is heard again: it is not switched off any more"},
	{event.FenceFailed{Peer: "beta", Error: "unable to connect", Next: "its groups wait"}, "beta is not known to be off: unable to connect; its groups wait"},
	{event.ReadinessChanged{Check: "interface_up", Reason: "eth0 has no carrier"}, "readiness check interface up: a takeover here would not work: eth0 has no carrier"},
	{event.ReadinessChanged{Check: "disk", Ready: true}, "readiness check disk: fine"},
	{event.ConfigReloaded{File: "authkeys", Changed: []string{"key 2", "send"}}, "authkeys read again: changed key 2, send"},
	{event.ConfigReloadFailed{File: "ha.cf", Error: "line 3: no such directive", Errors: 2}, "ha.cf read again and refused, what was in use stays in use: line 3: no such directive (and 1 other)"},
	{event.ConfigPending{File: "ha.cf"}, "ha.cf on disk is not what runs: restart to take it"},
	{event.ConfigPending{File: "authkeys"}, "authkeys on disk is not what runs: reload to take it"},
	{event.ConfigPending{File: "ha.cf", Error: "ha.cf:3: no such directive"}, "with ha.cf as it is on disk this daemon would not start: ha.cf:3: no such directive"},
	{event.ConfigPending{File: "ha.cf", Agrees: true}, "ha.cf on disk is what runs again"},
	{event.ClockSkew{Peer: "beta", Offset: -3 * time.Second, OffsetError: time.Millisecond}, "the clock of peer beta is behind ours by 3s, give or take 1ms"},
	{event.ClockSkew{Peer: "beta", Agrees: true}, "the clock of peer beta agrees with ours again"},
	{event.RecorderDumped{Trigger: "false_death", Path: "/var/lib/systole/trace", Size: 9}, "flight recorder (false death): 9 bytes in /var/lib/systole/trace"},
	{event.OperatorCommand{Command: "hb_standby", Arguments: "all", UID: 1000, Result: "refused", Reason: "alpha is dead"}, "hb_standby all from user 1000: refused: alpha is dead"},
	{event.OperatorCommand{Command: "hb_takeover", Result: "accepted"}, "hb_takeover from user 0: accepted"},
	{event.TelemetryDegraded{Sink: "webhook", Dropped: 12}, "12 records to webhook dropped: it does not keep up"},
}

func TestMessage(t *testing.T) {
	said := map[string]bool{}
	for _, tt := range sentences {
		said[tt.event.Kind()] = true
		if got := sentence.Of(record(tt.event)); got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.event.Kind(), got, tt.want)
		}
	}
	for _, entry := range event.Catalogue {
		if kind := entry.Event.Kind(); entry.Severity >= event.Info && !said[kind] {
			t.Errorf("%s has no sentence of its own in this test", kind)
		}
	}
}

// TestMessagesAreWhole says every kind with something in each field.
func TestMessagesAreWhole(t *testing.T) {
	for _, entry := range event.Catalogue {
		got := sentence.Of(record(filled(entry.Event)))
		if strings.Contains(got, "%!") || got != strings.TrimSpace(got) || strings.Contains(got, "  ") {
			t.Errorf("%s: %q", entry.Event.Kind(), got)
		}
	}
}

func record(e event.Event) event.Record {
	return event.Record{Sequence: 42, Time: noon, Cluster: "web", Node: "beta", Event: e}
}
