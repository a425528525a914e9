package config

import "slices"

// A directive is one that ha.cf may have. It is obeyed by value or whole; one
// with neither takes anything.
type directive struct {
	name     string
	value    func(h *haCf, value string) *problem  // called with every value of an option
	whole    func(h *haCf, args []string) *problem // called with the words of a whole-line directive
	recorded bool                                  // cl_status hbparameter knows its value
	fallback string                                // its value where ha.cf has none, as heartbeat records it
	link     bool                                  // makes a link
	newName  string                                // what to write now, for an old name
	note     string                                // why it has no meaning here
	warning  string                                // what this version does not do about it
}

// What has no meaning here, and why.
const (
	toJournal    = "no meaning here: systole writes to the journal (journalctl -u systole)"
	forPacemaker = "no meaning here: it is for Pacemaker's resource manager"
	byState      = "no meaning here: generation and uuid are kept in the state directory; a lost generation starts again from the time"
	uncompressed = "no meaning here: compressed messages are understood, but none are sent"
	noCores      = "no meaning here: systemd-coredump keeps core dumps (coredumpctl)"
	noQuorum     = "heartbeat's quorum server speaks a protocol of its own and is not asked: run systole arbiter there instead, and write arbiter: and its address in systole.yaml"
	ours         = "systole's own: heartbeat refuses a ha.cf with this line; write it in systole.yaml if one reads this file too"
)

// directiveList is every directive of heartbeat 3.0.6, in the order of its
// manual, ha.cf(5), and what becomes of each; at the end those of our own.
var directiveList = []*directive{
	{name: "node", value: (*haCf).addNode},
	{name: "bcast", link: true, value: (*haCf).addBcast},
	{name: "udp", link: true, value: (*haCf).addBcast, newName: "bcast", note: "the old name of bcast"},
	{name: "ucast", link: true, whole: func(h *haCf, args []string) *problem { return h.addUcast(Ucast, args) }},
	{name: "mcast", link: true, whole: func(h *haCf, args []string) *problem { return h.addMcast(Mcast, args) }},
	{name: "ucast6", link: true, whole: func(h *haCf, args []string) *problem { return h.addUcast(Ucast6, args) }},
	{name: "mcast6", link: true, whole: func(h *haCf, args []string) *problem { return h.addMcast(Mcast6, args) }},
	{name: "serial", link: true, value: (*haCf).addSerial},
	{name: "baud", recorded: true, fallback: "19200", value: (*haCf).setBaud},
	{name: "udpport", recorded: true, fallback: "694", value: (*haCf).setPort},
	{name: "ping", value: func(h *haCf, v string) *problem { return h.addPing(v, false) }},
	{name: "ping6", value: func(h *haCf, v string) *problem { return h.addPing(v, true) }},
	{name: "ping_group", whole: (*haCf).addPingGroup},

	{name: "keepalive", recorded: true, fallback: "1000ms", value: (*haCf).setKeepalive},
	{name: "deadtime", recorded: true, fallback: "30000ms", value: (*haCf).setDeadtime},
	{name: "warntime", recorded: true, value: (*haCf).setWarntime},
	{name: "initdead", recorded: true, value: (*haCf).setInitdead},
	{name: "deadping", recorded: true, value: (*haCf).setDeadping},
	{name: "max_rexmit_delay", recorded: true, fallback: "250", value: isNumber("number of milliseconds", 1, 1<<30), note: "no meaning here: a lost message is asked for again after 50 to 250 ms"},
	{name: "auto_failback", recorded: true, fallback: "legacy", value: (*haCf).setAutoFailback},
	{name: "nice_failback", value: (*haCf).setNiceFailback},
	{name: "hopfudge", recorded: true, fallback: "1", value: (*haCf).setHopFudge},
	{name: "msgfmt", recorded: true, fallback: "classic", value: isOneOf("classic", "netstring"), note: "no meaning here: both forms are read; netstring is sent over UDP and classic over serial lines, which Heartbeat 3.0.6 reads whatever it is set to"},
	{name: "realtime", recorded: true, fallback: "true", value: (*haCf).setRealtime},
	{name: "rtprio", recorded: true, value: (*haCf).setRealtimePriority},
	{name: "cluster", recorded: true, fallback: "linux-ha", value: (*haCf).setCluster},

	{name: "logfile", recorded: true, note: toJournal},
	{name: "debugfile", recorded: true, note: toJournal},
	{name: "logfacility", recorded: true, value: isFacility, note: toJournal},
	{name: "use_logd", recorded: true, value: isBool, note: toJournal},
	{name: "conn_logd_time", recorded: true, fallback: "60", value: isTime, note: toJournal},
	{name: "syslogmsgfmt", recorded: true, fallback: "true", value: isBool, note: toJournal},
	{name: "log_badpack", recorded: true, fallback: "true", value: isBool, note: "no meaning here: bad messages are always counted, by reason, in systole_heartbeats_rejected_total"},
	{name: "debug", recorded: true, fallback: "0", value: isNumber("debug level", 0, 255), note: "no meaning here: systole events --follow shows all that happens"},
	{name: "compression", recorded: true, fallback: "zlib", value: isOneOf("zlib", "bz2"), note: uncompressed},
	{name: "compression_threshold", recorded: true, fallback: "2", value: isNumber("size in KiB", 1, 1<<20), note: uncompressed},
	{name: "traditional_compression", recorded: true, fallback: "no", value: isBool, note: uncompressed},
	{name: "memreserve", recorded: true, fallback: "6500", value: isNumber("size in KiB", 0, 1<<30), note: "no meaning here: memory is locked as it comes into use"},
	{name: "hbgenmethod", recorded: true, fallback: "file", value: isOneOf("file", "time"), note: byState},
	{name: "uuidfrom", recorded: true, fallback: "file", value: isOneOf("file", "nodename"), note: byState},
	{name: "coredumps", recorded: true, fallback: "true", value: isBool, note: noCores},
	{name: "coreroot", recorded: true, note: noCores},
	{name: "use_apphbd", value: isBool, note: "no meaning here: systemd watches over the daemon (WatchdogSec= of its unit)"},
	{name: "env", value: isAssignment, note: "no meaning here: it is for the programs that respawn starts"},
	{name: "apiauth", whole: (*haCf).checkAPIAuth, note: "no meaning here: who may use the control socket is said by its owner and mode"},

	{name: "autojoin", recorded: true, fallback: "none", value: isNone},
	{name: "crm", recorded: true, fallback: "false", value: isNoPacemaker},
	{name: "pacemaker", recorded: true, fallback: "false", value: isNoPacemaker},
	{name: "crm_daemon_dir", recorded: true, note: forPacemaker},
	{name: "crmd_spawns_pengine", recorded: true, fallback: "on", value: isBool, note: forPacemaker},
	{name: "record_config_changes", recorded: true, fallback: "on", value: isBool, note: forPacemaker},
	{name: "record_pengine_inputs", recorded: true, fallback: "on", value: isBool, note: forPacemaker},
	{name: "enable_config_writes", recorded: true, fallback: "on", value: isBool, note: forPacemaker},

	{name: "respawn", whole: (*haCf).checkRespawn},
	{name: "failfast", whole: (*haCf).checkRespawn},
	{name: "stonith", whole: (*haCf).addStonith},
	{name: "stonith_host", whole: (*haCf).addStonithHost},
	{name: "watchdog", recorded: true, value: (*haCf).setWatchdog},
	{name: "quorum_server", recorded: true, warning: noQuorum},

	{name: "flight_recorder", value: (*haCf).setFlightRecorder, note: ours},
	{name: "webhook", whole: func(h *haCf, args []string) *problem { return h.cfg.addWebhook(h.fsys, h.here(), args) }, note: ours},
	{name: "alertmanager", whole: func(h *haCf, args []string) *problem { return h.cfg.addAlertmanager(h.fsys, h.here(), args) }, note: ours},
}

// refused are words of heartbeat's sources that are no directives of 3.0.6
// either, with the reason.
var refused = map[string]string{
	"hbaping":    "pings over Fibre Channel are not supported, nor are they by heartbeat 3.0.6",
	"rds":        "RDS is not supported, nor is it by heartbeat 3.0.6; write bcast, mcast or ucast",
	"tipc":       "TIPC is not supported, nor is it by heartbeat 3.0.6; write bcast, mcast or ucast",
	"openais":    "OpenAIS is not supported, nor is it by heartbeat 3.0.6; write bcast, mcast or ucast",
	"normalpoll": "unknown directive, as in heartbeat 3.0.6; remove the line",
}

// directives is directiveList by name.
var directives = func() map[string]*directive {
	byName := map[string]*directive{}
	for _, d := range directiveList {
		byName[d.name] = d
	}
	return byName
}()

// directiveNames are the names in the order of directiveList.
var directiveNames = slices.Collect(func(yield func(string) bool) {
	for _, d := range directiveList {
		if !yield(d.name) {
			return
		}
	}
})
