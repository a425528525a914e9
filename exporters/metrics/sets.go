package metrics

import (
	"slices"
	"strings"
)

// The closed sets of label values that come from the code. Each is what the
// comment of the event's field lists; a test compares the two. A value outside
// its set is counted nowhere.
var (
	peerStates       = []string{"unknown", "init", "up", "active", "leaving", "dead"}
	holds            = []string{"none", "local", "foreign", "all", "transition"}
	unitStates       = []string{"active", "reloading", "inactive", "failed", "activating", "deactivating"}
	sendErrors       = []string{"busy", "no_route", "no_device", "no_buffer", "refused", "other"}
	rejections       = []string{"bad_signature", "unknown_key", "replay", "malformed", "unknown_node", "oversize", "wrong_cluster"}
	directions       = []string{"sent", "received"}
	wires            = []string{"systole", "heartbeat3"}
	evidences        = []string{"peer_claims", "left_running"}
	takeoverTriggers = []string{"peer_dead", "peer_left", "standby", "takeover", "failback", "failure", "start", "carrier", "ping"}
	spanLosses       = []string{"queue_full", "export_failed", "shutdown"} // as exporters/traces has them
	deliveryResults  = []string{"ok", "retried", "given_up"}               // as exporters/webhook has them
	releaseTriggers  = []string{"standby", "takeover", "failback", "shutdown", "yield", "failure", "cleanup", "lapse", "carrier", "ping"}
	moveResults      = []string{"success", "partial", "failed"}
	lossCauses       = []string{"peer_dead", "peer_left", "standby", "takeover", "failback", "failure", "yield", "lapse", "carrier", "ping", "restart", "shutdown", "start", "adopted"}
	phases           = []string{"silence", "confirm", "fence", "address", "announce", "services", "verify"}
	operationNames   = []string{"start", "stop", "status", "announce"}
	operationResults = []string{"ok", "failed", "timeout"}
	dumpTriggers     = []string{"stall", "false_death", "takeover_slow", "takeover_failed", "request"}
	readinessChecks  = []string{"units_loadable", "interface_up", "address_free", "link_redundant", "config_match", "clock", "disk", "fence_device"}
	permissions      = []string{"peer", "peer_off", "vote", "ping", "nothing"}
	commandResults   = []string{"accepted", "refused"}
)

// The sets that are this package's own.
var (
	linkTurns         = []string{"up", "down"}
	membershipChanges = []string{"join", "leave", "death", "return"}
	planned           = []string{"yes", "no"}
)

// isPlanned tells the causes that somebody asked for from those that nobody
// did: a death, a daemon that restarted, a group that went down, two owners of
// which one gave up.
var isPlanned = map[string]string{
	"peer_dead": "no", "restart": "no", "failure": "no", "yield": "no", "lapse": "no", "carrier": "no", "ping": "no",
	"peer_left": "yes", "standby": "yes", "takeover": "yes", "failback": "yes", "shutdown": "yes",
}

// isRare says which triggers and causes have no durations until the first: most
// clusters never have any, and a histogram is 17 series.
var isRare = map[string]bool{"carrier": true, "ping": true}

// possible are the triggers that can be under this configuration.
func (c Config) possible(set []string) []string {
	return slices.DeleteFunc(slices.Clone(set), func(name string) bool { return name == "ping" && !c.IPFail })
}

// happens reports whether events of this kind can be under this configuration.
func (c Config) happens(kind string) bool {
	return (c.Watchdog || !strings.HasPrefix(kind, "watchdog.")) && (c.IPFail || kind != "pings.compared") &&
		(c.Permission || !ofPermission[kind]) && (len(c.Fencing) > 0 || !strings.HasPrefix(kind, "fence."))
}

func usual(set []string) []string {
	return slices.DeleteFunc(slices.Clone(set), func(name string) bool { return isRare[name] })
}

// nearMisses are the parts of deadtime whose use is counted, and their labels.
var nearMisses = []struct {
	ratio float64
	label string
}{{0.5, "0.5"}, {0.75, "0.75"}, {0.9, "0.9"}}
