package metrics

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/event"
)

const (
	ourGroup   = "IPaddr::192.0.2.10"
	theirGroup = "IPaddr::192.0.2.20"
)

// A step is what is told at an instant, in seconds since boot.
type step struct {
	at     float64
	events []event.Event
}

func at(s float64, events ...event.Event) step { return step{s, events} }

func instant(s float64) time.Time { return boot.Add(time.Duration(s * float64(time.Second))) }

// heartbeat is one on eth0 after a silence of s seconds against 10 s of deadtime.
func heartbeat(silence float64) event.HeartbeatReceived {
	d := time.Duration(silence * float64(time.Second))
	return event.HeartbeatReceived{Peer: "beta", Link: "eth0", Interval: d, Silence: d, Deadtime: 10 * time.Second}
}

func TestRecord(t *testing.T) {
	tests := []struct {
		name  string
		steps []step
		want  []string // samples that moved, without buckets and systole_events_total
	}{
		{
			name:  "the first heartbeat has no interval, no silence and no round trip",
			steps: []step{at(1, event.HeartbeatReceived{Peer: "beta", Link: "eth0", Deadtime: 10 * time.Second})},
			want: []string{
				`systole_heartbeat_wait_seconds_count 1`,
				`systole_heartbeats_received_total{link="eth0",peer="beta"} 1`,
				`systole_link_last_heartbeat_timestamp_seconds{link="eth0",peer="beta"} 1.795262401e+09`,
				`systole_peer_deadtime_left_seconds{peer="beta"} 11`,
			},
		},
		{
			name: "a copy on a second link counts there and says nothing of the peer",
			steps: []step{at(1, event.HeartbeatReceived{Peer: "beta", Link: "eth1", Interval: time.Second,
				Deadtime: 10 * time.Second, RoundTrip: time.Millisecond, Late: time.Second})},
			want: []string{
				`systole_heartbeat_interval_seconds_sum{link="eth1",peer="beta"} 1`,
				`systole_heartbeat_interval_seconds_count{link="eth1",peer="beta"} 1`,
				`systole_heartbeat_rtt_seconds_sum{link="eth1",peer="beta"} 0.001`,
				`systole_heartbeat_rtt_seconds_count{link="eth1",peer="beta"} 1`,
				`systole_heartbeat_wait_seconds_count 1`,
				`systole_heartbeats_received_total{link="eth1",peer="beta"} 1`,
				`systole_link_last_heartbeat_timestamp_seconds{link="eth1",peer="beta"} 1.795262401e+09`,
				`systole_peer_deadtime_left_seconds{peer="beta"} 11`,
			},
		},
		{
			name:  "a heartbeat of a stranger, or on a link there is none of, moves nothing of ours",
			steps: []step{at(1, event.HeartbeatLate{Peer: "mallory", Link: "eth0"}, event.HeartbeatLate{Peer: "beta", Link: "wlan0"}, event.PeerFalseDeath{Peer: "mallory"})},
		},
		{
			name:  "values outside a closed set move nothing",
			steps: []step{at(1, event.SendFailed{Link: "eth0", Reason: "gremlins"}, event.SendFailed{Link: "wlan0", Reason: "busy"}, event.HoldChanged{To: "half"}, event.TakeoverPhase{Phase: "tea"}, event.ReleaseCompleted{Trigger: "whim", Result: "success"})},
		},
		{
			name:  "what was lost and rejected counts by its count",
			steps: []step{at(1, event.HeartbeatLost{Peer: "beta", Link: "eth0", Count: 4}, event.HeartbeatRejected{Link: "eth0", Reason: "replay", Count: 70}, event.RetransmitRequested{Peer: "beta", Direction: "sent", Count: 3})},
			want: []string{
				`systole_heartbeats_lost_total{link="eth0",peer="beta"} 4`,
				`systole_heartbeats_rejected_total{link="eth0",reason="replay"} 70`,
				`systole_retransmit_requests_total{direction="sent",peer="beta"} 3`,
			},
		},
		{
			name:  "a heartbeat sent within 100 ms of its time is not late where keepalive is 1 s",
			steps: []step{at(1, event.HeartbeatSent{Late: 100 * time.Millisecond})},
			want: []string{
				`systole_heartbeat_send_lateness_seconds_sum 0.1`,
				`systole_heartbeat_send_lateness_seconds_count 1`,
				`systole_heartbeats_sent_total{link="/dev/ttyS0"} 1`,
				`systole_heartbeats_sent_total{link="eth0"} 1`,
				`systole_heartbeats_sent_total{link="eth1"} 1`,
			},
		},
		{
			name:  "one beyond it is late, and not sent on a link that is closed",
			steps: []step{at(1, event.LinkClosed{Link: "/dev/ttyS0"}, event.HeartbeatSent{Late: 100*time.Millisecond + 1})},
			want: []string{
				`systole_heartbeat_send_lateness_seconds_sum 0.100000001`,
				`systole_heartbeat_send_lateness_seconds_count 1`,
				`systole_heartbeats_sent_late_total 1`,
				`systole_heartbeats_sent_total{link="eth0"} 1`,
				`systole_heartbeats_sent_total{link="eth1"} 1`,
			},
		},
		{
			name:  "a peer that says its lateness is believed, also when it says none",
			steps: []step{at(1, event.PeerIdentified{Peer: "beta", Wire: "systole"}, heartbeat(1))},
			want: []string{
				`systole_heartbeat_interval_seconds_sum{link="eth0",peer="beta"} 1`,
				`systole_heartbeat_interval_seconds_count{link="eth0",peer="beta"} 1`,
				`systole_heartbeat_wait_seconds_count 1`,
				`systole_heartbeats_received_total{link="eth0",peer="beta"} 1`,
				`systole_link_last_heartbeat_timestamp_seconds{link="eth0",peer="beta"} 1.795262401e+09`,
				`systole_peer_config_match{file="ha.cf",peer="beta"} 1`,
				`systole_peer_config_match{file="haresources",peer="beta"} 1`,
				`systole_peer_deadtime_left_seconds{peer="beta"} 11`,
				`systole_peer_deadtime_used_ratio_sum{peer="beta"} 0.1`,
				`systole_peer_deadtime_used_ratio_count{peer="beta"} 1`,
				`systole_peer_send_lateness_seconds_count{peer="beta"} 1`,
				`systole_peer_wire{peer="beta",wire="systole"} 1`,
				`systole_peer_wire{peer="beta",wire="unknown"} 0`,
			},
		},
		{
			name:  "a silence of half of deadtime is a near miss",
			steps: []step{at(6, heartbeat(5))},
			want: []string{
				`systole_heartbeat_interval_seconds_sum{link="eth0",peer="beta"} 5`,
				`systole_heartbeat_interval_seconds_count{link="eth0",peer="beta"} 1`,
				`systole_heartbeat_wait_seconds_count 1`,
				`systole_heartbeats_received_total{link="eth0",peer="beta"} 1`,
				`systole_link_last_heartbeat_timestamp_seconds{link="eth0",peer="beta"} 1.795262406e+09`,
				`systole_peer_deadtime_left_seconds{peer="beta"} 16`,
				`systole_peer_deadtime_near_misses_total{peer="beta",threshold="0.5"} 1`,
				`systole_peer_deadtime_used_ratio_sum{peer="beta"} 0.5`,
				`systole_peer_deadtime_used_ratio_count{peer="beta"} 1`,
			},
		},
		{
			name: "the silence of a peer that had said goodbye is no near miss",
			steps: []step{
				at(1, event.HeartbeatReceived{Peer: "beta", Link: "eth1", Deadtime: 10 * time.Second}),
				at(2, event.PeerStateChanged{Peer: "beta", From: "active", To: "leaving"}),
				at(12, event.PeerStateChanged{Peer: "beta", From: "leaving", To: "unknown"}),
				at(61, heartbeat(60)),
			},
			want: []string{
				`systole_heartbeat_interval_seconds_sum{link="eth0",peer="beta"} 60`,
				`systole_heartbeat_interval_seconds_count{link="eth0",peer="beta"} 1`,
				`systole_heartbeat_wait_seconds_count 2`,
				`systole_heartbeats_received_total{link="eth0",peer="beta"} 1`,
				`systole_heartbeats_received_total{link="eth1",peer="beta"} 1`,
				`systole_link_last_heartbeat_timestamp_seconds{link="eth0",peer="beta"} 1.795262461e+09`,
				`systole_link_last_heartbeat_timestamp_seconds{link="eth1",peer="beta"} 1.795262401e+09`,
				`systole_membership_changes_total{reason="leave"} 1`,
				`systole_peer_deadtime_left_seconds{peer="beta"} 0`,
				`systole_peer_state_transitions_total{peer="beta",state="leaving"} 1`,
				`systole_peer_state_transitions_total{peer="beta",state="unknown"} 1`,
			},
		},
		{
			name: "a dead peer that is back has returned and not joined",
			steps: []step{
				at(1, event.PeerStateChanged{Peer: "beta", To: "active"}),
				at(11, event.PeerStateChanged{Peer: "beta", From: "active", To: "dead"}, event.PeerDead{Peer: "beta"}),
				at(61, event.PeerReturned{Peer: "beta"}, event.PeerStateChanged{Peer: "beta", From: "dead", To: "active"}),
			},
			want: []string{
				`systole_membership_changes_total{reason="death"} 1`,
				`systole_membership_changes_total{reason="join"} 1`,
				`systole_membership_changes_total{reason="return"} 1`,
				`systole_peer_state{peer="beta",state="active"} 1`,
				`systole_peer_state{peer="beta",state="unknown"} 0`,
				`systole_peer_state_transitions_total{peer="beta",state="active"} 2`,
				`systole_peer_state_transitions_total{peer="beta",state="dead"} 1`,
			},
		},
		{
			name:  "a peer that was never there has not died",
			steps: []step{at(31, event.PeerDead{Peer: "beta", NeverHeard: true})},
		},
		{
			name:  "a false death shows how much of deadtime the silence was",
			steps: []step{at(13, event.PeerFalseDeath{Peer: "beta", Silence: 12 * time.Second})},
			want: []string{
				`systole_peer_deadtime_used_ratio_sum{peer="beta"} 1.2`,
				`systole_peer_deadtime_used_ratio_count{peer="beta"} 1`,
				`systole_peer_false_deaths_total{peer="beta"} 1`,
			},
		},
		{
			name: "a peer that left and came back joined twice and died never",
			steps: []step{
				at(1, event.PeerStateChanged{Peer: "beta", From: "init", To: "active"}),
				at(9, event.PeerStateChanged{Peer: "beta", From: "active", To: "leaving"}),
				at(20, event.PeerStateChanged{Peer: "beta", From: "leaving", To: "unknown"}),
				at(30, event.PeerStateChanged{Peer: "beta", From: "unknown", To: "active"}),
			},
			want: []string{
				`systole_membership_changes_total{reason="join"} 2`,
				`systole_membership_changes_total{reason="leave"} 1`,
				`systole_peer_state{peer="beta",state="active"} 1`,
				`systole_peer_state{peer="beta",state="unknown"} 0`,
				`systole_peer_state_transitions_total{peer="beta",state="active"} 2`,
				`systole_peer_state_transitions_total{peer="beta",state="leaving"} 1`,
				`systole_peer_state_transitions_total{peer="beta",state="unknown"} 1`,
			},
		},
		{
			name:  "a ping node is up or not, and no peer",
			steps: []step{at(1, event.PeerStateChanged{Peer: "192.0.2.1", From: "dead", To: "ping"}, event.PingAnswered{PingNode: "192.0.2.1", RoundTrip: time.Millisecond})},
			want: []string{
				`systole_ping_node_rtt_seconds_sum{ping_node="192.0.2.1"} 0.001`,
				`systole_ping_node_rtt_seconds_count{ping_node="192.0.2.1"} 1`,
				`systole_ping_node_up{ping_node="192.0.2.1"} 1`,
			},
		},
		{
			name:  "a peer that dies claims nothing any more",
			steps: []step{at(1, event.SplitBrainSuspected{Evidence: "peer_claims", Peer: "beta"}, event.PeerDead{Peer: "beta"})},
			want: []string{
				`systole_membership_changes_total{reason="death"} 1`,
				`systole_split_brains_total{evidence="peer_claims"} 1`,
			},
		},
		{
			name: "two peers' evidence of split brain is over when both have cleared it",
			steps: []step{at(1, event.SplitBrainSuspected{Evidence: "peer_claims", Peer: "beta"}, event.SplitBrainSuspected{Evidence: "peer_claims", Peer: "gamma"},
				event.SplitBrainCleared{Peer: "beta"})},
			want: []string{`systole_split_brain_suspected 1`, `systole_split_brains_total{evidence="peer_claims"} 2`},
		},
		{
			name:  "a heartbeat peer says nothing of its files",
			steps: []step{at(1, event.PeerIdentified{Peer: "beta", Wire: "systole"}, event.PeerIdentified{Peer: "beta", Wire: "heartbeat3"})},
			want:  []string{`systole_peer_wire{peer="beta",wire="heartbeat3"} 1`, `systole_peer_wire{peer="beta",wire="unknown"} 0`},
		},
		{
			name: "a file that no longer differs is the same again",
			steps: []step{at(1, event.PeerIdentified{Peer: "beta", Wire: "systole"}, event.ConfigDrift{Peer: "beta", File: "ha.cf", Ours: "a", Theirs: "b"},
				event.ConfigDrift{Peer: "beta", File: "ha.cf", Ours: "a", Theirs: "a"})},
			want: []string{
				`systole_peer_config_match{file="ha.cf",peer="beta"} 1`,
				`systole_peer_config_match{file="haresources",peer="beta"} 1`,
				`systole_peer_wire{peer="beta",wire="systole"} 1`,
				`systole_peer_wire{peer="beta",wire="unknown"} 0`,
			},
		},
		{
			name:  "a file that differs is not made the same by the peer's being identified",
			steps: []step{at(1, event.ConfigDrift{Peer: "beta", File: "ha.cf", Ours: "a", Theirs: "b"}, event.PeerIdentified{Peer: "beta", Wire: "systole"})},
			want: []string{
				`systole_peer_config_match{file="ha.cf",peer="beta"} 0`,
				`systole_peer_config_match{file="haresources",peer="beta"} 1`,
				`systole_peer_wire{peer="beta",wire="systole"} 1`,
				`systole_peer_wire{peer="beta",wire="unknown"} 0`,
			},
		},
		{
			name: "a stop that failed leaves the resource running",
			steps: []step{at(1,
				event.ResourceOperation{Group: ourGroup, Resource: "nginx", Driver: "systemd", Operation: "start", Result: "ok", Took: time.Second},
				event.ResourceOperation{Group: ourGroup, Resource: "nginx", Driver: "systemd", Operation: "stop", Result: "timeout", Took: 100 * time.Second})},
			want: []string{
				`systole_resource_active{group="IPaddr::192.0.2.10",kind="systemd",resource="nginx"} 1`,
				`systole_resource_operation_duration_seconds_sum{kind="systemd",operation="start"} 1`,
				`systole_resource_operation_duration_seconds_count{kind="systemd",operation="start"} 1`,
				`systole_resource_operation_duration_seconds_sum{kind="systemd",operation="stop"} 100`,
				`systole_resource_operation_duration_seconds_count{kind="systemd",operation="stop"} 1`,
				`systole_resource_operations_total{group="IPaddr::192.0.2.10",operation="start",resource="nginx",result="ok"} 1`,
				`systole_resource_operations_total{group="IPaddr::192.0.2.10",operation="stop",resource="nginx",result="timeout"} 1`,
			},
		},
		{
			name: "the new owner tells how long a group had none; a first owner, an adopted one and a peer's tell nothing",
			steps: []step{
				at(10, event.TakeoverStarted{ID: 1, Trigger: "peer_dead", Groups: []string{ourGroup, theirGroup}}),
				at(11, event.GroupStateChanged{Group: ourGroup, To: "running"}),
				at(11, event.OwnerChanged{Group: ourGroup, From: "beta", To: "alpha", Cause: "peer_dead", Unowned: 11 * time.Second}),
				at(12, event.OwnerChanged{Group: ourGroup, From: "alpha", Cause: "failure"}),
				at(13, event.OwnerChanged{Group: ourGroup, From: "alpha", To: "beta", Cause: "failure", Unowned: time.Second}),
				at(13, event.OwnerChanged{Group: theirGroup, To: "alpha", Cause: "start"}),
				at(14, event.GroupStateChanged{Group: theirGroup, To: "failed"},
					event.TakeoverCompleted{ID: 1, Trigger: "peer_dead", Groups: []string{ourGroup, theirGroup}, Result: "partial", Took: 4 * time.Second, Outage: 14 * time.Second}),
			},
			want: []string{
				`systole_resource_active{group="IPaddr::192.0.2.10",kind="ipaddr",resource="IPaddr::192.0.2.10"} 1`,
				`systole_resource_active{group="IPaddr::192.0.2.10",kind="systemd",resource="nginx"} 1`,
				`systole_resource_active{group="IPaddr::192.0.2.10",kind="systemd",resource="php-fpm"} 1`,
				`systole_resource_active{group="IPaddr::192.0.2.10",kind="systemd",resource="redis"} 1`,
				`systole_resource_group_active{group="IPaddr::192.0.2.10"} 1`,
				`systole_service_outage_seconds_sum{group="IPaddr::192.0.2.10",planned="no"} 11`,
				`systole_service_outage_seconds_count{group="IPaddr::192.0.2.10",planned="no"} 1`,
				`systole_takeover_duration_seconds_sum{trigger="peer_dead"} 4`,
				`systole_takeover_duration_seconds_count{trigger="peer_dead"} 1`,
				`systole_takeover_last_duration_seconds 4`,
				`systole_takeover_last_timestamp_seconds 1.795262414e+09`,
				`systole_takeovers_total{result="partial",trigger="peer_dead"} 1`,
			},
		},
		{
			name: "a takeover is in progress until the last one has ended",
			steps: []step{at(1, event.TakeoverStarted{ID: 1, Trigger: "start"}, event.TakeoverStarted{ID: 2, Trigger: "start"},
				event.TakeoverCompleted{ID: 1, Trigger: "start", Result: "success"})},
			want: []string{
				`systole_takeover_duration_seconds_count{trigger="start"} 1`,
				`systole_takeover_in_progress 1`,
				`systole_takeover_last_timestamp_seconds 1.795262401e+09`,
				`systole_takeovers_total{result="success",trigger="start"} 1`,
			},
		},
		{
			name: "the newest takeover is told with its own phases and its trace, in four words",
			steps: []step{
				at(1, event.TakeoverStarted{ID: 1, Trigger: "start"},
					event.TakeoverPhase{ID: 1, Phase: "verify", Took: time.Second},
					event.TakeoverCompleted{ID: 1, Trigger: "start", Result: "success", Trace: "ffffffffffffffffffffffffffffffff"}),
				at(2, event.TakeoverStarted{ID: 2, Trigger: "start"},
					event.TakeoverPhase{ID: 2, Phase: "address", Took: 2 * time.Second},
					event.TakeoverCompleted{ID: 2, Trigger: "start", Result: "success", Trace: "deadbeef0000000100000000ffffffff"}),
			},
			want: []string{
				`systole_takeover_duration_seconds_count{trigger="start"} 2`,
				`systole_takeover_last_phase_duration_seconds{phase="address"} 2`,
				`systole_takeover_last_timestamp_seconds 1.795262402e+09`,
				`systole_takeover_last_trace_id{word="0"} 3.735928559e+09`,
				`systole_takeover_last_trace_id{word="1"} 1`,
				`systole_takeover_last_trace_id{word="3"} 4.294967295e+09`,
				`systole_takeover_phase_duration_seconds_sum{phase="address"} 2`,
				`systole_takeover_phase_duration_seconds_count{phase="address"} 1`,
				`systole_takeover_phase_duration_seconds_sum{phase="verify"} 1`,
				`systole_takeover_phase_duration_seconds_count{phase="verify"} 1`,
				`systole_takeovers_total{result="success",trigger="start"} 2`,
			},
		},
		{
			name:  "sending the other node's groups home is no standby",
			steps: []step{at(1, event.ReleaseStarted{ID: 1, Trigger: "standby", Groups: []string{theirGroup}})},
		},
		{
			name:  "nor is a failback of our own",
			steps: []step{at(1, event.ReleaseStarted{ID: 1, Trigger: "failback", Groups: []string{ourGroup}})},
		},
		{
			name: "standby of our groups begins with the release and lasts until one of them is back",
			steps: []step{
				at(1, event.ReleaseStarted{ID: 1, Trigger: "standby", Groups: []string{theirGroup, ourGroup}}),
				at(9, event.GroupStateChanged{Group: theirGroup, To: "running"}, event.GroupStateChanged{Group: theirGroup, To: "stopped"}),
			},
			want: []string{`systole_node_standby_since_timestamp_seconds 1.795262401e+09`},
		},
		{
			name:  "a command that the configuration does not list is other",
			steps: []step{at(1, event.OperatorCommand{Command: "rm -rf", Result: "refused"})},
			want:  []string{`systole_control_requests_total{command="other",result="refused"} 1`},
		},
		{
			name:  "a loop that ran late shows by how much",
			steps: []step{at(1, event.AgentLate{Late: 300 * time.Millisecond, Held: true})},
			want:  []string{`systole_event_loop_stall_seconds_sum 0.3`, `systole_event_loop_stall_seconds_count 1`},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			moves(t, tt.steps, tt.want)
		})
	}
}

// moves wants steps to move these samples and no others.
func moves(t *testing.T, steps []step, want []string) {
	t.Helper()
	m := open(t, reference())
	before := page(t, m)
	for _, s := range steps {
		tell(m, instant(s.at), s.events...)
	}
	got := slices.DeleteFunc(moved(before, page(t, m)), func(line string) bool { return strings.HasPrefix(line, "systole_events_total") })
	if !slices.Equal(got, want) {
		t.Errorf("moved\n got %s\nwant %s", strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

// TestEverythingIsCounted also meets every severity that an event can have.
func TestEverythingIsCounted(t *testing.T) {
	cfg := fenced()
	cfg.Permission = true
	m := open(t, cfg)
	before := page(t, m)
	var want []string
	for _, entry := range event.Catalogue {
		tell(m, boot, entry.Event)
		want = append(want, `systole_events_total{event="`+entry.Event.Kind()+`",severity="`+event.SeverityOf(entry.Event).String()+`"} 1`)
	}
	for _, other := range []struct {
		event    event.Event
		severity string
	}{
		{event.ResourceOperation{Result: "ok"}, "info"},
		{event.FenceAttempted{Result: "ok"}, "notice"},
		{event.AgentLate{Held: true}, "warning"},
		{event.PeerDead{NeverHeard: true}, "notice"},
		{event.ConfigDrift{Ours: "a", Theirs: "b"}, "warning"},
		{event.ClockSkew{Agrees: true}, "notice"},
		{event.ReadinessChanged{Ready: true}, "notice"},
		{event.PermissionChanged{To: "nothing", Holds: "all"}, "error"},
		{event.ArbiterChanged{Up: true}, "notice"},
	} {
		tell(m, boot, other.event)
		want = append(want, `systole_events_total{event="`+other.event.Kind()+`",severity="`+other.severity+`"} 1`)
	}
	slices.Sort(want)
	got := slices.DeleteFunc(moved(before, page(t, m)), func(line string) bool { return !strings.HasPrefix(line, "systole_events_total") })
	if !slices.Equal(got, want) {
		t.Errorf("counted\n got %s\nwant %s", strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

func TestNewRefuses(t *testing.T) {
	tests := []struct {
		name string
		edit func(*Config)
		want string
	}{
		{"a peer named twice", func(c *Config) { c.Peers = []string{"beta", "beta"} }, "duplicate metrics collector registration attempted"},
		{"a hash that is not hex", func(c *Config) { c.Files[0].Hash = "what" }, "metrics: hash of ha.cf: encoding/hex: invalid byte: U+0077 'w'"},
		{"a hash shorter than 48 bits", func(c *Config) { c.Files[0].Hash = "0011223344" }, `metrics: hash of ha.cf: "0011223344" is too short`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := reference()
			tt.edit(&cfg)
			if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("New: %v, want %s", err, tt.want)
			}
		})
	}
}

// TestNamesOfTheConfigurationAreMadeValid: haresources may hold any bytes.
func TestNamesOfTheConfigurationAreMadeValid(t *testing.T) {
	cfg := reference()
	cfg.Groups[0].Name = "caf\xe9"
	m := open(t, cfg)
	tell(m, boot, event.GroupStateChanged{Group: "caf\xe9", To: "running"})
	if want := `systole_resource_group_active{group="caf` + "\uFFFD" + `"} 1`; !slices.Contains(samples(page(t, m)), want) {
		t.Errorf("%s is on no page", want)
	}
}
