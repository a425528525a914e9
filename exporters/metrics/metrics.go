// Package metrics folds the records of the agent into Prometheus metrics.
//
// Every family is a line of the table below: its collector, its line in
// docs/metrics.md and its bound on series are made from that line. All of them
// carry the constant labels cluster and node (who reports). Label values come
// from the configuration or from a closed set in the code, never from the
// network; every label set is there at 0 from the first scrape, since a counter
// born at 1 shows no increase.
package metrics

import "slices"

// A family is one line of the table.
type family struct {
	name   string    // whole, so that a search finds it
	kind   kind      // see there
	labels []string  // besides cluster and node
	series string    // the most label sets there can be: a product of numbers and the letters of docs/metrics.md
	from   string    // what moves it: kinds of events, "configuration" or "scrape"
	bounds []float64 // of a histogram's classic buckets, in the family's unit
	help   string
}

// A kind is the type of a family and when its value is found.
type kind string

const (
	counter     kind = "counter"
	gauge       kind = "gauge"
	histogram   kind = "histogram"           // classic and native in one
	stateful    kind = "gauge (state set)"   // one of the values of the last label is 1, the others 0
	gaugeFunc   kind = "gauge (at scrape)"   // ages between events: computed when asked for
	counterFunc kind = "counter (at scrape)" // counted elsewhere
)

// Classic bounds. The native form has its own; these serve a Prometheus
// without native histograms.
var (
	// roundTrips: 50 µs, about the least two machines on one switch need, to 1.6 s.
	roundTrips = doubling(50e-6, 16)
	// intervals: keepalives from 10 ms to 60 s, closer around heartbeat's usual 1 and 2 s.
	intervals = []float64{0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 3, 5, 10, 20, 30, 60}
	// ratios of deadtime: 1 is death; beyond it are deaths that were not.
	ratios = []float64{0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.5}
	// lateness of timers and of the event loop, and the cost of a scrape.
	lateness = []float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5}
	// operations: an address takes milliseconds, a unit up to systemd's 90 s.
	operations = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120}
	// fencings: a switch takes tenths of a second, a slow management board a minute.
	fencings = []float64{0.1, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120}
	// outages: takeovers, their phases, and what clients see of them. Two more bounds would cost 60 series of
	// the 1,500 that 8 groups may have.
	outages = []float64{0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 8, 13, 34, 60, 120}
)

func doubling(first float64, n int) []float64 {
	bounds := slices.Repeat([]float64{first}, n)
	for i := 1; i < n; i++ {
		bounds[i] = 2 * bounds[i-1]
	}
	return bounds
}

func labels(names ...string) []string { return names }

// families is the one table of all names.
var families = []family{
	// Identity, configuration, build.
	{"systole_build_info", gauge, labels("version", "revision", "branch", "goversion", "goos", "goarch", "tags"), "1", "configuration", nil,
		"Constant 1: what this daemon was built from"},
	{"systole_node_info", gauge, labels("boot_id", "instance_id", "auto_failback", "wire"), "1", "configuration", nil,
		"Constant 1: who this daemon is, and the wire dialect it speaks"},
	{"systole_timing_seconds", gauge, labels("setting"), "4", "configuration", nil,
		"The times of ha.cf as they are in force: keepalive, warntime, deadtime, initdead"},
	{"systole_config_hash", gauge, labels("file"), "F", "configuration", nil,
		"Low 48 bits of the SHA-256 of a configuration file as it was understood"},
	{"systole_peer_config_match", gauge, labels("peer", "file"), "F·P", "peer.identified, config.drift", nil,
		"1 when the peer's file is the same as ours, 0 when it is not; absent while the peer does not say"},
	{"systole_auth_key_info", gauge, labels("key_id", "method"), "K", "config.reloaded", nil,
		"Constant 1 for each key of authkeys in use; the key itself is never shown"},
	{"systole_config_last_reload_successful", gauge, nil, "1", "config.reloaded, config.reload_failed", nil,
		"1 when the configuration had no error when it was last read, at the start or at a reload; of a reload only authkeys is taken"},
	{"systole_config_last_reload_success_timestamp_seconds", gauge, nil, "1", "config.reloaded", nil,
		"When that last was so"},
	{"systole_node_standby_since_timestamp_seconds", gauge, nil, "1", "release.started, group.state_changed", nil,
		"When groups that prefer this node were given up at an operator's request, 0 once one of them runs here again"},

	// Links and heartbeats.
	{"systole_link_info", gauge, labels("link", "medium", "interface", "address"), "L", "configuration", nil,
		"Constant 1: static facts to join on link"},
	{"systole_link_open", gauge, labels("link"), "L", "link.opened, link.closed", nil,
		"1 while the link's socket or line is usable on this node"},
	{"systole_link_up", gauge, labels("link", "peer"), "L·P", "link.up, link.down", nil,
		"1 while heartbeats from the peer arrive on the link in time"},
	{"systole_link_transitions_total", counter, labels("link", "peer", "to"), "2·L·P", "link.up, link.down", nil,
		"Times a peer went up or down on a link"},
	{"systole_heartbeats_sent_total", counter, labels("link"), "L", "heartbeat.sent", nil,
		"Heartbeats given to the link while it was open; what the kernel refused is counted in systole_heartbeat_send_errors_total as well"},
	{"systole_heartbeat_send_errors_total", counter, labels("link", "reason"), "6·L", "send.failed", nil,
		"Datagrams the kernel would not take"},
	{"systole_heartbeats_sent_late_total", counter, nil, "1", "heartbeat.sent", nil,
		"Heartbeats sent later than a fifth of keepalive after they were due, or than 100 ms where that is less"},
	{"systole_heartbeat_send_lateness_seconds", histogram, nil, "1", "heartbeat.sent", lateness,
		"Time between the instant a heartbeat was due and the one it was handed to the links: our own fault, not the network's"},
	{"systole_heartbeats_received_total", counter, labels("link", "peer"), "L·P", "heartbeat.received", nil,
		"Valid heartbeats heard"},
	{"systole_heartbeats_rejected_total", counter, labels("link", "reason"), "7·L", "heartbeat.rejected", nil,
		"Datagrams that were not believed"},
	{"systole_heartbeats_late_total", counter, labels("link", "peer"), "L·P", "heartbeat.late", nil,
		"Heartbeats that ended a silence longer than warntime, by the link that ended it"},
	{"systole_heartbeats_lost_total", counter, labels("link", "peer"), "L·P", "heartbeat.lost", nil,
		"Sequence numbers of the peer that never came on the link: counted when 64 later ones have, for until then one may only be late"},
	{"systole_heartbeats_reordered_total", counter, labels("link", "peer"), "L·P", "heartbeat.reordered", nil,
		"Messages that came behind a newer one on the same link"},
	{"systole_heartbeats_duplicate_total", counter, labels("link", "peer"), "L·P", "heartbeat.duplicated", nil,
		"Messages that came twice on the same link"},
	{"systole_retransmit_requests_total", counter, labels("peer", "direction"), "2·P", "retransmit.requested", nil,
		"Messages asked for again, by us (sent) or by the peer (received)"},
	{"systole_heartbeat_interval_seconds", histogram, labels("link", "peer"), "L·P", "heartbeat.received", intervals,
		"Time between two heartbeats of the peer on one link"},
	{"systole_heartbeat_rtt_seconds", histogram, labels("link", "peer"), "L·P", "heartbeat.received", roundTrips,
		"Round trip by echoed stamps, less the time the peer held them; no samples from a heartbeat 3.0.6 peer, which does not echo"},
	{"systole_heartbeat_delay_variation_seconds", histogram, labels("link", "peer"), "L·P", "heartbeat.received", lateness,
		"Change of one-way transit from one heartbeat to the next, absolute; needs no common clock; no samples from a heartbeat 3.0.6 peer"},
	{"systole_heartbeat_wait_seconds", histogram, nil, "1", "heartbeat.received", roundTrips,
		"Time between a heartbeat's arrival and its turn in our event loop: our own delay, not the network's"},
	{"systole_link_last_heartbeat_timestamp_seconds", gauge, labels("link", "peer"), "L·P", "heartbeat.received", nil,
		"Arrival of the newest heartbeat, 0 before the first"},
	{"systole_peer_send_lateness_seconds", histogram, labels("peer"), "P", "heartbeat.received", lateness,
		"How late the peer says it was to send: its fault, not the network's; no samples from a heartbeat 3.0.6 peer"},
	{"systole_peer_deadtime_seconds", gauge, labels("peer"), "P", "heartbeat.received", nil,
		"The silence at which the peer is declared dead: ours, unless its heartbeats announce another"},
	{"systole_peer_deadtime_used_ratio", histogram, labels("peer"), "P", "heartbeat.received, peer.false_death", ratios,
		"Silence on all links before each heartbeat, divided by deadtime: 1 is death"},
	{"systole_peer_deadtime_near_misses_total", counter, labels("peer", "threshold"), "3·P", "heartbeat.received", nil,
		"Silences of at least this part of deadtime that ended without a verdict"},
	{"systole_peer_deadtime_left_seconds", gaugeFunc, labels("peer"), "P", "scrape", nil,
		"Time until the peer would be declared dead, 0 when it is dead or due"},
	{"systole_peer_suspicion_phi", gaugeFunc, labels("peer"), "P", "scrape", nil,
		"Accrual suspicion by the rhythm of the last 64 silences, 1 is a 10 % chance of being wrong, 3 a 0.1 % one; advice only, at most 16"},
	{"systole_clock_offset_seconds", gauge, labels("peer"), "P", "heartbeat.received", nil,
		"The peer's wall clock less ours, by the newest round trip; means nothing while its error is 0, as beside a heartbeat 3.0.6 peer"},
	{"systole_clock_offset_error_seconds", gauge, labels("peer"), "P", "heartbeat.received", nil,
		"How far the offset can be off: half the round trip it was taken by; 0 before the first"},
	{"systole_event_loop_stall_seconds", histogram, nil, "1", "agent.late", lateness,
		"How much later than it meant to our own loop ran (SIGSTOP, steal, swap)"},

	// Membership.
	{"systole_peer_state", stateful, labels("peer", "state"), "6·P", "peer.state_changed", nil,
		"The peer's state: exactly one of them is 1"},
	{"systole_peer_state_transitions_total", counter, labels("peer", "state"), "6·P", "peer.state_changed", nil,
		"Times the peer entered the state"},
	{"systole_peer_wire", stateful, labels("peer", "wire"), "3·P", "peer.identified", nil,
		"What the peer's daemon turned out to be; heartbeat3 has no round trips and says no lateness"},
	{"systole_membership_changes_total", counter, labels("reason"), "4", "peer.state_changed, peer.dead, peer.returned", nil,
		"Changes to who is in the cluster: join, leave, death, return"},
	{"systole_peer_false_deaths_total", counter, labels("peer"), "P", "peer.false_death", nil,
		"Times the peer was declared dead and had been alive all along"},
	{"systole_split_brain_suspected", gauge, nil, "1", "split_brain.suspected, split_brain.cleared", nil,
		"1 while there is evidence of two owners of one group"},
	{"systole_split_brains_total", counter, labels("evidence"), "2", "split_brain.suspected", nil,
		"Times two owners of one group were suspected"},
	{"systole_ping_node_up", gauge, labels("ping_node"), "N", "peer.state_changed", nil,
		"1 while the ping node, or any of the ping group, answers"},
	{"systole_ping_node_rtt_seconds", histogram, labels("ping_node"), "N", "ping.answered", roundTrips,
		"Round trip of one echo request"},

	// Resources.
	{"systole_node_resources", stateful, labels("state"), "5", "hold.changed", nil,
		"What this node holds, as cl_status rscstatus says it"},
	{"systole_resource_group_active", gauge, labels("group"), "G", "group.state_changed", nil,
		"1 while every resource of the group runs here"},
	{"systole_resource_active", gauge, labels("group", "resource", "kind"), "R", "resource.operation, group.state_changed", nil,
		"1 while the resource runs here"},
	{"systole_resource_operations_total", counter, labels("group", "resource", "operation", "result"), "12·R", "resource.operation", nil,
		"Operations that ended, by how; announce only where the driver can"},
	{"systole_resource_operation_duration_seconds", histogram, labels("kind", "operation"), "4·D", "resource.operation", operations,
		"How long one operation took, whatever its result"},
	{"systole_unit_state", stateful, labels("unit", "state"), "6·U", "unit.state_changed", nil,
		"What systemd says of the unit, its ActiveState: exactly one of them is 1; none before systemd has been heard"},
	{"systole_unit_restarts_total", counter, labels("unit"), "U", "unit.restarted", nil,
		"Times systemd restarted the unit by itself while this daemon ran: its NRestarts, which systemd sets back at a start by hand, added up"},
	{"systole_address_present", gauge, labels("address", "interface"), "A", "address.changed", nil,
		"1 while the kernel of this node has the address; the interface is where it was last seen, empty before where haresources names none"},
	{"systole_address_conflict", gauge, labels("address"), "A", "address.conflict, address.conflict_cleared", nil,
		"1 while another machine claims an address that is held here, by ARP or neighbour advertisements, and for a minute after"},
	{"systole_address_conflicts_total", counter, labels("address"), "A", "address.conflict", nil,
		"Times another machine was seen to claim the address, at most once a minute for each"},
	{"systole_gratuitous_arp_sent_total", counter, labels("address"), "A", "address.announced", nil,
		"Gratuitous ARPs, or unsolicited neighbour advertisements, sent for the address"},
	{"systole_gratuitous_arp_errors_total", counter, labels("address"), "A", "address.announced", nil,
		"Those that could not be sent"},

	// Takeover.
	{"systole_takeovers_total", counter, labels("trigger", "result"), "27", "takeover.completed", nil,
		"Takeovers by this node"},
	{"systole_releases_total", counter, labels("trigger", "result"), "30", "release.completed", nil,
		"Releases by this node"},
	{"systole_takeover_duration_seconds", histogram, labels("trigger"), "9", "takeover.completed", outages,
		"Decision to last resource verified"},
	{"systole_takeover_phase_duration_seconds", histogram, labels("phase"), "7", "takeover.phase", outages,
		"Length of one part of a takeover; the parts of one takeover add up to the whole"},
	{"systole_service_outage_seconds", histogram, labels("group", "planned"), "2·G", "owner.changed", outages,
		"Last proof that the old owner served to the group running here: an upper bound of what clients felt; not planned are those after a death, a restart, a failure or two owners; told by the new owner only"},
	{"systole_group_unowned_seconds_total", counterFunc, labels("group", "cause"), "13·G", "owner.changed", nil,
		"Seconds without a proven owner, of the outages that ended with this node as the owner, by cause; kept over restarts: the sum over a cluster counts each second once"},
	{"systole_group_unowned_now_seconds", gaugeFunc, labels("group"), "G", "scrape", nil,
		"How long the group has had no proven owner by now, 0 while it has one; this time is in no total yet"},
	{"systole_takeover_ready", gauge, nil, "1", "readiness.changed", nil,
		"1 when a takeover here would work: every check is fine; absent until this node takes part and has looked"},
	{"systole_takeover_ready_check", gauge, labels("check"), "8", "readiness.changed", nil,
		"1 when the check found nothing wrong, by the look of the last minute, fence_device of the last ten and only where fencing is configured; systole status has the reason"},
	{"systole_takeover_in_progress", gauge, nil, "1", "takeover.started, takeover.completed", nil,
		"1 while a takeover runs"},
	{"systole_takeover_last_timestamp_seconds", gauge, nil, "1", "takeover.completed", nil,
		"End of the newest takeover, 0 if none is known; kept over restarts, as all systole_takeover_last_"},
	{"systole_takeover_last_duration_seconds", gauge, nil, "1", "takeover.completed", nil,
		"Length of the newest takeover"},
	{"systole_takeover_last_phase_duration_seconds", gauge, labels("phase"), "7", "takeover.completed", nil,
		"Length of each part of the newest takeover, 0 where it has none and before the first since the start"},
	{"systole_takeover_last_trace_id", gauge, labels("word"), "4", "takeover.completed", nil,
		"Trace id of the newest takeover as four numbers of 32 bits, word 0 the first eight digits: an id may be no label, but an alert's text can write these"},

	// Permission to hold addresses.
	{"systole_permission", stateful, labels("evidence"), "5·V", "permission.changed", nil,
		"What lets this node hold addresses; absent where no policy is configured"},
	{"systole_arbiter_up", gauge, labels("arbiter"), "Q", "arbiter.changed", nil,
		"1 while the arbiter answers; it is asked every 10 s while nobody needs its vote"},

	// Fencing.
	{"systole_fence_operations_total", counter, labels("method", "result"), "3·M", "fence.attempted, fence.completed", nil,
		"Tries to switch the peer off, by how they ended; method operator is a person's word that it is off; absent where no fencing is configured, as all systole_fence_"},
	{"systole_fence_duration_seconds", histogram, labels("method"), "M", "fence.attempted", fencings,
		"How long one try took, whatever its result"},
	{"systole_fence_failed", gauge, nil, "1", "fence.failed, fence.completed", nil,
		"1 while the peer is silent and every way to switch it off has failed, so that its groups wait; or since one was believed that had not done it"},

	// The daemon watching itself.
	{"systole_control_requests_total", counter, labels("command", "result"), "2·C", "operator.command", nil,
		"Requests to change something over the control socket"},
	{"systole_events_total", counter, labels("event", "severity"), "E", "every kind", nil,
		"Events raised"},
	{"systole_events_dropped_total", counterFunc, labels("sink"), "S", "scrape", nil,
		"Records a sink had no room for"},
	{"systole_spans_dropped_total", counterFunc, labels("reason"), "3", "scrape", nil,
		"Spans that no collector got: no room in the queue, an export that failed for good, or the end of the daemon"},
	{"systole_webhook_deliveries_total", counterFunc, labels("endpoint", "result"), "3·W", "scrape", nil,
		"Posts of events to a webhook, by what became of them: taken (ok), not taken and made again (retried), refused for good (given_up)"},
	{"systole_event_queue_length", gaugeFunc, labels("sink"), "S", "scrape", nil,
		"Records waiting to be written"},
	{"systole_recorder_dumps_total", counter, labels("trigger"), "5", "recorder.dumped", nil,
		"Times the execution flight recorder was written, by what for; one that could not be written counts nowhere"},
	{"systole_watchdog_armed", gauge, nil, "1", "watchdog.armed, watchdog.failed", nil,
		"1 while a watchdog device resets this machine where it is not fed; absent where none is configured"},
	{"systole_watchdog_timeout_seconds", gauge, nil, "1", "watchdog.armed", nil,
		"The timeout of the watchdog device"},
	{"systole_watchdog_ping_interval_seconds", histogram, nil, "1", "watchdog.fed", lateness,
		"Time from one feeding of the watchdog device to the next: one that reaches the timeout resets the machine"},
	{"systole_collect_duration_seconds", histogram, nil, "1", "scrape", lateness,
		"Time one scrape spent collecting in this daemon, until the scrape before"},
}

// notYet names the families whose facts no event carries so far. They are not
// exported: a 0 would say that all is well where nobody looks.
var notYet = []struct{ name, needs string }{}
