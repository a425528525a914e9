package dashboards

// noTakeover is why panels of takeovers are empty most of the time.
const noTakeover = "no takeover in this range"

// takeovers asks: what happened, and where did the seconds go?
func takeovers() Board {
	return Board{
		File: "takeovers", UID: takeoverUID, Title: "systole: takeovers", From: "now-24h",
		Description: "What happened, and where did the seconds go? Every takeover is marked on every panel. Counts over a range are what Prometheus makes of a few scrapes, and may be off by a fraction; the journal and `systole status` have the exact figures of each takeover.",
		Variables:   []Variable{source, oneCluster, node},
		Here:        hereNodes,
		Rows: []Row{
			{Title: "The last one", Panels: takeoverLast()},
			{Title: "Where the time went", Panels: takeoverTimes()},
			{Title: "What happened", Panels: takeoverEvents()},
			{Title: "Dead nodes fenced", Closed: true, Panels: takeoverFencing()},
		},
	}
}

func takeoverLast() []Panel {
	return []Panel{
		{
			Title: "Last takeover", Width: 6, Unit: Ago, View: Stat{},
			Reads: "When each node last acquired groups, a start and planned moves included. Known over restarts of the daemon.",
			Steps: steps(Blue), Empty: "no takeover is known",
			Asks: now(`max by (node) (systole_takeover_last_timestamp_seconds{$here} > 0) * 1000`, "{{node}}"),
		},
		{
			Title: "It took", Width: 6, Unit: Seconds, View: Stat{},
			Reads: "From the decision to the last resource verified. What clients felt is longer by the silence before the decision: see the outage below.",
			Steps: steps(Green, Step{10, Yellow}, Step{30, Red}), Empty: "no takeover is known",
			Asks: now(`max by (node) (systole_takeover_last_duration_seconds{$here} and systole_takeover_last_timestamp_seconds{$here} > 0)`, "{{node}}"),
		},
		{
			Title: "Under way", Width: 6, Unit: None, View: Stat{},
			Reads:  "Whether a takeover runs at this moment. One that stays is stuck in a resource: look at the journal of its unit.",
			Steps:  steps(Green, Step{1, Orange}),
			Values: []Value{{0, "none", Green}, {1, "takeover", Orange}},
			Asks:   now(`max by (node) (systole_takeover_in_progress{$here})`, "{{node}}"),
		},
		{
			Title: "Not a full success in this range", Width: 6, Unit: Count, View: Stat{},
			Reads: "Takeovers after which at least one group did not run. Anything but 0: the board of resources says which resource would not start.",
			Steps: steps(Green, Step{0.5, Red}),
			Asks:  now(`sum by (node) (increase(systole_takeovers_total{$here, result!="success"}[$__range]))`, "{{node}}"),
		},
	}
}

func takeoverTimes() []Panel {
	phase := histogram{name: "systole_takeover_phase_duration_seconds", by: "phase"}
	inRange := phase
	inRange.window = "$__range"
	return []Panel{
		{
			Title: "Phases of each takeover", Width: 14, Height: 10, Unit: Seconds, View: TimeSeries{Bars: true}, Min: ptr(0),
			Reads: "One stack for each takeover, or two neighbours of the same, as high as the time from the last heartbeat to the end: silence is the wait for deadtime, confirm what ping nodes were asked, fence the end of the old owner, then addresses, announcements, services and their verification. The tallest part is what to shorten: silence by deadtime in ha.cf, services in the units themselves. Flat in between.",
			Asks:  phase.total("{{phase}}"),
		},
		{
			Title: "Phases, all takeovers of this range", Width: 10, Height: 10, Unit: Seconds, View: BarGauge{}, Min: ptr(0), Steps: steps(Blue),
			Reads: "The same added up over the range: which phase costs most of the time that takeovers take here.",
			Asks:  inRange.totalNow("{{phase}}"),
		},
		{
			Title: "Outage that clients could feel", Width: 12, Unit: Seconds, View: BarGauge{}, Min: ptr(0),
			Reads: "For each group, 99 % of outages in the range stayed below this: from the last proof that the old owner served to the group running here. An upper bound, never an average. Those that nobody planned follow a death or a failure.",
			Steps: steps(Green, Step{10, Yellow}, Step{30, Red}), Empty: noTakeover + " that had an owner before it",
			Asks: histogram{name: "systole_service_outage_seconds", by: "group, planned", window: "$__range"}.quantileNow("0.99", "{{group}}, planned: {{planned}}"),
		},
		{
			Title: "Without an owner, by cause", Width: 12, Unit: Seconds, View: BarGauge{}, Min: ptr(0),
			Reads: "The seconds of the range in which nobody was proven to own the group, added up: from the books that every node keeps over restarts (`systole outages`). standby, takeover, failback, peer_left and shutdown were asked for; the others nobody planned.",
			Steps: steps(Green, Step{10, Yellow}, Step{60, Red}), Empty: "no outage in this range",
			Asks: now(`sum by (group, cause) (increase(systole_group_unowned_seconds_total{$here}[$__range])) > 0`, "{{group}}: {{cause}}"),
		},
		{
			Title: "Availability over 30 days", Width: 12, Unit: Ratio, View: Stat{},
			Reads: "The part of the last 30 days in which the group had a proven owner, outages that go on included. Measured by the nodes: a network between them and the clients is not in it.",
			Steps: steps(Red, Step{0.999, Yellow}, Step{0.9999, Green}),
			Asks:  now(`1 - (sum by (group) (increase(systole_group_unowned_seconds_total{$here}[30d])) + max by (group) (systole_group_unowned_now_seconds{$here})) / (30 * 86400)`, "{{group}}"),
		},
		{
			Title: "Takeovers by trigger", Width: 12, Unit: Seconds, View: BarGauge{}, Min: ptr(0),
			Reads: "The longest takeover of the range for each trigger, from the decision to the last resource verified. The figure is the upper bound of the bucket it fell into.",
			Steps: steps(Green, Step{10, Yellow}, Step{30, Red}), Empty: noTakeover,
			Asks: histogram{name: "systole_takeover_duration_seconds", by: "trigger", window: "$__range"}.quantileNow("1", "{{trigger}}"),
		},
		{
			Title: "The trace of a takeover", Width: 12, Unit: Seconds, View: TimeSeries{},
			Reads: "The longest takeover in each interval. The diamonds on it are exemplars: a click on one opens the trace of that takeover, where the data source names a store of traces and Prometheus runs with exemplar storage.",
			Empty: noTakeover,
			Asks:  histogram{name: "systole_takeover_duration_seconds", by: "node, trigger"}.quantile("1", "{{node}}: {{trigger}}"),
		},
		{
			Title: "Resource operations, slowest first", Width: 12, Height: 8, Unit: Seconds, View: BarGauge{}, Min: ptr(0),
			Reads: "How long starts, stops, looks and announcements took, 99 % of those in the range, by kind of resource. It says whether a slow takeover is the addresses or the services.",
			Steps: steps(Green, Step{5, Yellow}, Step{30, Red}), Empty: "no resource was started, stopped, looked at or announced in this range",
			Asks: slowest(histogram{name: "systole_resource_operation_duration_seconds", by: "kind, operation", window: "$__range"}.quantileNow("0.99", "{{operation}} of {{kind}}")),
		},
	}
}

// slowest sorts the answers, the greatest first.
func slowest(queries []Query) []Query {
	for i := range queries {
		queries[i].Expr = "sort_desc(topk(10, " + queries[i].Expr + "))"
	}
	return queries
}

func takeoverEvents() []Panel {
	return []Panel{
		{
			Title: "Who owned each group", Width: 12, Unit: None, View: StateTimeline{},
			Reads:  "Green while all of a group runs on the node. Green that ends on one line and begins on the other is a move.",
			Steps:  steps(Grey, Step{1, Green}),
			Values: []Value{{0, "not here", Grey}, {1, "runs", Green}},
			Asks:   over(`max by (group, node) (systole_resource_group_active{$here})`, "{{group}} on {{node}}"),
		},
		{
			Title: "Peers by state", Width: 12, Unit: None, View: StateTimeline{},
			Reads:  "Each line is one state of one peer in the eyes of a node, drawn while it lasts: green for active, red for dead, yellow for the rest. \"dead\" before a takeover is why it happened; \"leaving\" is a peer that was told to stop.",
			Steps:  steps(Blue),
			Values: []Value{{1, "so it is", Blue}},
			Marks:  []Mark{{Series: " dead$", Color: Red}, {Series: " (unknown|init|up|leaving)$", Color: Yellow}, {Series: " active$", Color: Green}},
			Asks:   over(`max by (node, peer, state) (systole_peer_state{$here}) == 1`, "{{node}} sees {{peer}} {{state}}"),
		},
		{
			Title: "Takeovers", Width: 8, Unit: Count, View: movesTable(), Empty: noTakeover,
			Reads: "How many there were in the range, why, and how they ended. peer_dead and failure were not asked for by anyone.",
			Asks:  rows(`round(sum by (node, trigger, result) (increase(systole_takeovers_total{$here}[$__range]))) > 0`),
		},
		{
			Title: "Releases", Width: 8, Unit: Count, View: movesTable(), Empty: "no group was given up in this range",
			Reads: "The other half of moves: groups that were given up, why, and how it ended. A release that failed may leave a group on two nodes.",
			Asks:  rows(`round(sum by (node, trigger, result) (increase(systole_releases_total{$here}[$__range]))) > 0`),
		},
		{
			Title: "Joins, leaves, deaths, returns", Width: 8, Height: 6, Unit: Count, View: TimeSeries{Bars: true, NoTable: true}, Min: ptr(0),
			Reads: "Changes to who is in the cluster, as each node saw them. A death followed at once by a return is a network or a deadtime that is too short.",
			Asks:  over(`sum by (node, reason) (increase(systole_membership_changes_total{$here}[$__rate_interval]))`, "{{node}}: {{reason}}"),
		},
		{
			Title: "Split brains in this range", Width: 8, Height: 6, Unit: Count, View: Stat{},
			Reads: "How often two owners of one group were suspected, by evidence. After any at all, compare the data of both nodes.",
			Steps: steps(Green, Step{0.5, Red}),
			Asks:  now(`sum by (node, evidence) (increase(systole_split_brains_total{$here}[$__range]))`, "{{node}}: {{evidence}}"),
		},
		{
			Title: "Operators' requests", Width: 16, Height: 6, Unit: Count, View: TimeSeries{Bars: true, NoTable: true}, Min: ptr(0),
			Reads: "hb_standby and hb_takeover as they came, accepted or refused. Moves without a request here and without a death above are failbacks.",
			Asks:  over(`sum by (node, command, result) (increase(systole_control_requests_total{$here}[$__rate_interval]))`, "{{node}}: {{command}} {{result}}"),
		},
		{
			Title: "Announcements of addresses", Width: 24, Height: 6, Unit: Count, View: TimeSeries{Bars: true, NoTable: true}, Min: ptr(0),
			Reads: "Gratuitous ARP and neighbour advertisements sent for each address, and those that failed. Clients on the same network follow a moved address only once they have heard one.",
			Asks: ask(
				over(`sum by (node, address) (increase(systole_gratuitous_arp_sent_total{$here}[$__rate_interval]))`, "{{node}} sent {{address}}"),
				over(`sum by (node, address) (increase(systole_gratuitous_arp_errors_total{$here}[$__rate_interval]))`, "{{node}} failed {{address}}")),
		},
	}
}

func movesTable() Table {
	return Table{Columns: []Column{{"node", "Node"}, {"trigger", "Trigger"}, {"result", "Result"}, {"Value", "Times"}}, Sort: "Times"}
}

// noFencing is why panels of fencing are empty.
const noFencing = "no fencing is configured"

func takeoverFencing() []Panel {
	return []Panel{
		{
			Title: "Fencing", Width: 12, Unit: Count, View: TimeSeries{Bars: true}, Min: ptr(0), Empty: noFencing,
			Reads: "Tries to make sure that a dead node holds nothing, by method and result; the method operator is a person who said so. A takeover after a death waits for one that is ok.",
			Asks:  over(`sum by (node, method, result) (increase(systole_fence_operations_total{$here}[$__rate_interval]))`, "{{node}}: {{method}} {{result}}"),
		},
		{
			Title: "Time to fence", Width: 12, Unit: Seconds, View: TimeSeries{}, Min: ptr(0), Empty: noFencing,
			Reads: "How long one try took at most, by method. It is part of every takeover after a death.",
			Asks:  histogram{name: "systole_fence_duration_seconds", by: "node, method"}.quantile("1", "{{node}}: {{method}}"),
		},
	}
}
