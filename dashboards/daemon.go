package dashboards

// hereJob finds the series that every Go program has, and Prometheus' own about
// a target: they need the job's name to be told from other programs'.
const hereJob = `job=~"$job", $here`

// noTargetLabels is why panels about the scrape itself may be empty.
const noTargetLabels = "the scrape configuration does not set the labels cluster and node on its targets"

// daemon asks: can these numbers be trusted?
func daemon() Board {
	return Board{
		File: "daemon", UID: daemonUID, Title: "systole: the daemon", From: "now-3h",
		Description: "Can these numbers be trusted? What the daemon itself costs, drops and waits for, and what it was told to do.",
		Variables:   []Variable{source, oneCluster, node, job},
		Here:        hereNodes,
		Rows: []Row{
			{Title: "Scrapes", Panels: daemonScrapes()},
			{Title: "Events", Panels: daemonEvents()},
			{Title: "The process", Panels: daemonProcess()},
			{Title: "What it was told", Panels: daemonConfig()},
		},
	}
}

func daemonScrapes() []Panel {
	return []Panel{
		{
			Title: "Answers Prometheus", Width: 6, Height: 8, Unit: None, View: Stat{},
			Reads:  "Whether the last scrape of each node succeeded. \"no\" alone is the exporter or the way to it; what the peer says of the node decides whether it is dead.",
			Steps:  steps(Red, Step{1, Green}),
			Values: []Value{{0, "no", Red}, {1, "yes", Green}},
			Empty:  noTargetLabels,
			Asks:   now(`min by (node, instance) (up{`+hereJob+`})`, "{{node}} ({{instance}})"),
		},
		{
			Title: "Cost of a scrape", Width: 10, Unit: Seconds, View: TimeSeries{Limits: true}, Min: ptr(0),
			Reads: "Time the daemon spent collecting, 99 % of scrapes, and time the whole scrape took in Prometheus' eyes. 5 ms for the former is the promise.",
			Steps: steps(Green, Step{0.005, Orange}),
			Empty: "nothing was scraped in this range",
			Asks: ask(
				histogram{name: "systole_collect_duration_seconds", by: "node"}.quantile("0.99", "{{node}} collects"),
				over(`max by (node) (scrape_duration_seconds{`+hereJob+`})`, "{{node}} is scraped")),
		},
		{
			Title: "Series", Width: 8, Unit: Count, View: TimeSeries{Limits: true}, Min: ptr(0),
			Reads: "Samples in one scrape. The line is the promise of 1500 for two nodes with 3 links and 8 resources; it depends on the configuration alone and never grows by itself.",
			Steps: steps(Green, Step{1500, Orange}),
			Empty: noTargetLabels,
			Asks:  over(`max by (node) (scrape_samples_scraped{`+hereJob+`})`, "{{node}}"),
		},
	}
}

func daemonEvents() []Panel {
	return []Panel{
		{
			Title: "Events by severity", Width: 8, Unit: Count, View: TimeSeries{Bars: true}, Min: ptr(0),
			Reads: "What was worth a word, without the samples of every heartbeat. A daemon at rest says nothing.",
			Marks: []Mark{{Series: " critical$", Color: Red}, {Series: " error$", Color: Orange}, {Series: " warning$", Color: Yellow}, {Series: " notice$", Color: Blue}, {Series: " info$", Color: Green}},
			Asks:  over(`sum by (node, severity) (increase(systole_events_total{$here, severity!="sample"}[$__rate_interval]))`, "{{node}} {{severity}}"),
		},
		{
			Title: "Events of this range", Width: 8, Height: 8, Unit: Count, Empty: "nothing happened in this range",
			View:  Table{Columns: []Column{{"node", "Node"}, {"event", "Event"}, {"severity", "Severity"}, {"Value", "Times"}}, Sort: "Times"},
			Reads: "Which events there were, without samples. Each is explained in docs/events.md, and by journalctl -x.",
			Asks:  rows(`round(sum by (node, event, severity) (increase(systole_events_total{$here, severity!="sample"}[$__range]))) > 0`),
		},
		{
			Title: "Samples", Width: 8, Unit: PerSecond, View: TimeSeries{},
			Reads: "Measurements a second: heartbeats sent and heard, answers of ping nodes. A flat line at what keepalive and the number of links make.",
			Asks:  over(`sum by (node, event) (rate(systole_events_total{$here, severity="sample"}[$__rate_interval])) > 0`, "{{node}} {{event}}"),
		},
		{
			Title: "Dropped records", Width: 8, Unit: Count, View: TimeSeries{Bars: true}, Min: ptr(0),
			Reads: "Records that a sink had no room for. Anything but 0 means that the journal, or what reads it, is too slow; metrics are not affected.",
			Asks:  over(`sum by (node, sink) (increase(systole_events_dropped_total{$here}[$__rate_interval]))`, "{{node}}: {{sink}}"),
		},
		{
			Title: "Dropped spans", Width: 8, Unit: Count, View: TimeSeries{Bars: true}, Min: ptr(0),
			Reads: "Parts of traces that no collector got, by reason: no room in the queue, an export that failed for good, the end of the daemon. Takeovers do not wait for a collector. It stays at 0 where no traces are sent.",
			Asks:  over(`sum by (node, reason) (increase(systole_spans_dropped_total{$here}[$__rate_interval]))`, "{{node}}: {{reason}}"),
		},
		{
			Title: "Records waiting", Width: 8, Unit: Count, View: TimeSeries{}, Min: ptr(0),
			Reads: "Records in each sink's queue at the moment of the scrape. It belongs at 0; a sink that does not keep up shows here before it drops.",
			Asks:  over(`max by (node, sink) (systole_event_queue_length{$here})`, "{{node}}: {{sink}}"),
		},
		{
			Title: "Webhooks", Width: 24, Height: 6, Unit: Count, View: TimeSeries{Bars: true}, Min: ptr(0), Empty: "no webhook is configured",
			Reads: "Posts to each webhook by what became of them: taken (ok), not taken and made again (retried), refused for good (given_up). Retries that go on show a receiver that is away; what is refused no retry mends.",
			Marks: []Mark{{Series: " given_up$", Color: Red}, {Series: " retried$", Color: Yellow}, {Series: " ok$", Color: Green}},
			Asks:  over(`sum by (node, endpoint, result) (increase(systole_webhook_deliveries_total{$here}[$__rate_interval]))`, "{{node}}: {{endpoint}} {{result}}"),
		},
	}
}

func daemonProcess() []Panel {
	return []Panel{
		{
			Title: "Own loop", Width: 8, Unit: Seconds, View: TimeSeries{},
			Reads: "99 % of heartbeats waited less than this for the event loop, and the longest time by which the loop ran late. If this is steep the daemon is starved: look for other real-time programs, steal and swap.",
			Empty: "no heartbeat was heard in this range",
			Asks: ask(
				histogram{name: "systole_heartbeat_wait_seconds", by: "node"}.quantile("0.99", "waited on {{node}}"),
				histogram{name: "systole_event_loop_stall_seconds", by: "node"}.quantile("1", "loop of {{node}} stalled")),
		},
		{
			Title: "Heartbeats sent late", Width: 8, Unit: Count, View: TimeSeries{Bars: true}, Min: ptr(0),
			Reads: "Heartbeats that left later than a fifth of keepalive, or than 100 ms. Our own fault, and what the peer sees as our silence. A healthy node has none.",
			Asks:  over(`sum by (node) (increase(systole_heartbeats_sent_late_total{$here}[$__rate_interval]))`, "{{node}}"),
		},
		{
			Title: "Processor", Width: 8, Unit: Ratio, View: TimeSeries{}, Min: ptr(0),
			Reads: "Part of one processor that the daemon uses. It grows with the number of heartbeats a second and with nothing else.",
			Empty: noTargetLabels,
			Asks:  over(`max by (node) (rate(process_cpu_seconds_total{`+hereJob+`}[$__rate_interval]))`, "{{node}}"),
		},
		{
			Title: "Memory", Width: 8, Unit: Bytes, View: TimeSeries{}, Min: ptr(0),
			Reads: "Resident memory, which is locked where the daemon runs in real time, and Go's heap in it. A line that only climbs is a leak: report it.",
			Empty: noTargetLabels,
			Asks: ask(
				over(`max by (node) (process_resident_memory_bytes{`+hereJob+`})`, "{{node}} resident"),
				over(`max by (node) (go_memstats_heap_alloc_bytes{`+hereJob+`})`, "{{node}} heap")),
		},
		{
			Title: "Goroutines and files", Width: 8, Unit: Count, View: TimeSeries{}, Min: ptr(0),
			Reads: "Goroutines and open files. Both depend on the configuration and stay level; orders to resources add one each while they run.",
			Empty: noTargetLabels,
			Asks: ask(
				over(`max by (node) (go_goroutines{`+hereJob+`})`, "{{node}} goroutines"),
				over(`max by (node) (process_open_fds{`+hereJob+`})`, "{{node}} files")),
		},
		{
			Title: "Garbage collection", Width: 8, Unit: Seconds, View: TimeSeries{}, Min: ptr(0),
			Reads: "The longest pause among Go's last collections. It is part of how late a heartbeat can be; microseconds are usual.",
			Empty: noTargetLabels,
			// The quantile is 1 in the text format and 1.0 in OpenMetrics.
			Asks: over(`max by (node) (go_gc_duration_seconds{`+hereJob+`, quantile=~"1|1.0"})`, "{{node}}"),
		},
		{
			Title: "Flight recorder", Width: 24, Height: 5, Unit: Count, View: TimeSeries{Bars: true}, Min: ptr(0), Empty: "the flight recorder wrote nothing in this range",
			Reads: "Recordings of the last seconds that were written to the state folder, by what caused them: read them with go tool trace. There are none unless flight_recorder is on.",
			Asks:  over(`sum by (node, trigger) (increase(systole_recorder_dumps_total{$here}[$__rate_interval]))`, "{{node}}: {{trigger}}"),
		},
	}
}

func daemonConfig() []Panel {
	return []Panel{
		{
			Title: "Times of ha.cf", Width: 8, Unit: Seconds, Height: 7,
			View:  Table{Columns: []Column{{"node", "Node"}, {"setting", "Setting"}, {"Value", "In force"}}},
			Reads: "keepalive, warntime, deadtime and initdead as they are in force. Both nodes should show the same.",
			Asks:  rows(`max by (node, setting) (systole_timing_seconds{$here})`),
		},
		{
			Title: "Keys", Width: 8, Unit: None, Height: 7,
			View:  Table{Columns: []Column{{"node", "Node"}, {"key_id", "Key"}, {"method", "Method"}}},
			Reads: "The keys of authkeys, never the secrets. crc signs nothing and md5 is weak: move to sha1.",
			Asks:  rows(`max by (node, key_id, method) (systole_auth_key_info{$here})`),
		},
		{
			Title: "Peers' daemons", Width: 8, Unit: None, Height: 7, View: Stat{Name: true},
			Reads: "What each peer turned out to run. heartbeat3 has no round trips, and does not say how late it is or what its files are; unknown has not been heard yet.",
			Marks: []Mark{{Series: ": unknown$", Color: Grey}, {Series: ": heartbeat3$", Color: Blue}},
			Asks:  now(`max by (node, peer, wire) (systole_peer_wire{$here}) == 1`, "{{peer}}: {{wire}}"),
		},
		{
			Title: "Changes of configuration", Width: 18, Height: 5, Unit: None, View: StatusHistory{},
			Reads:  "Whether the hash of each file changed in an interval: a restart with another configuration. Both nodes should change soon after one another.",
			Steps:  steps(Green, Step{1, Orange}),
			Values: []Value{{0, "the same", Green}, {1, "changed", Orange}},
			Asks:   over(`max by (node, file) (changes(systole_config_hash{$here}[$__rate_interval]) > bool 0)`, "{{file}} of {{node}}"),
		},
		{
			Title: "Last reload", Width: 6, Height: 5, Unit: None, View: Stat{},
			Reads:  "Whether the files had no error when they were last read, at the start or at a reload. With one that was refused the daemon would not start again; what was in use before stays in use.",
			Steps:  steps(Red, Step{1, Green}),
			Values: []Value{{0, "refused", Red}, {1, "accepted", Green}},
			Asks:   now(`min by (node) (systole_config_last_reload_successful{$here})`, "{{node}}"),
		},
	}
}
