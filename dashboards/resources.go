package dashboards

const operation = "systole_resource_operation_duration_seconds"

// resources asks: is what we run healthy on this node?
func resources() Board {
	return Board{
		File: "resources", UID: resourcesUID, Title: "systole: resources", From: "now-6h",
		Description: "Is what we run healthy on each node? Groups are the lines of haresources, resources their words.",
		Variables:   []Variable{source, oneCluster, node},
		Here:        hereNodes,
		Rows: []Row{
			{Title: "What runs here", Panels: resourcesRunning()},
			{Title: "Would a takeover work", Panels: resourcesReady()},
			{Title: "Starting, stopping, looking", Panels: resourcesOperations()},
			{Title: "Units, as systemd sees them", Panels: resourcesUnits()},
			{Title: "Addresses, as the kernel and the network see them", Panels: resourcesAddresses()},
			{Title: "What lets it hold addresses", Panels: resourcesPermission()},
			{Title: "The machine itself", Panels: resourcesWatchdog()},
		},
	}
}

func resourcesRunning() []Panel {
	return []Panel{
		{
			Title: "Groups on each node", Width: 8, Height: 9, Unit: Count, View: Stat{},
			Reads: "How many groups run whole on each node. In a cluster at rest the sum over the nodes is the number of lines of haresources; 0 on one node is a spare, 0 on both an outage.",
			Steps: steps(Grey, Step{1, Green}),
			Asks:  now(`sum by (node) (systole_resource_group_active{$here})`, "{{node}}"),
		},
		{
			Title: "Resources", Width: 16, Height: 9, Unit: None, View: StateTimeline{},
			Reads:  "Green while the resource runs on the node. A group is one unit: if some of its resources are green and others grey for longer than a start takes, one would not start.",
			Steps:  steps(Grey, Step{1, Green}),
			Values: []Value{{0, "not here", Grey}, {1, "runs", Green}},
			Asks:   over(`max by (node, group, resource, kind) (systole_resource_active{$here})`, "{{resource}} ({{kind}}) on {{node}}"),
		},
		{
			Title: "Groups", Width: 16, Unit: None, View: StateTimeline{},
			Reads:  "Green while every resource of the group runs on the node.",
			Steps:  steps(Grey, Step{1, Green}),
			Values: []Value{{0, "not here", Grey}, {1, "runs", Green}},
			Asks:   over(`max by (node, group) (systole_resource_group_active{$here})`, "{{group}} on {{node}}"),
		},
		{
			Title: "Partly running", Width: 8, Height: 8, Unit: Count, View: Stat{},
			Reads: "Groups of which some resources run and some do not. It is seldom seen but for the length of a start or a stop; one that stays has failed half way.",
			Steps: steps(Green, Step{1, Orange}),
			Asks:  now(`sum by (node) ((max by (node, group) (systole_resource_active{$here}) - on (node, group) max by (node, group) (systole_resource_group_active{$here})) > bool 0)`, "{{node}}"),
		},
	}
}

func resourcesOperations() []Panel {
	return []Panel{
		{
			Title: "Operations", Width: 12, Unit: Count, View: TimeSeries{Bars: true}, Min: ptr(0),
			Reads: "Starts, stops, looks and announcements by how they ended. Bursts belong to takeovers, which are marked. \"failed\" and \"timeout\" are named in the table beside this.",
			Marks: []Mark{{Series: " failed$", Color: Red}, {Series: " timeout$", Color: Orange}},
			Asks:  over(`sum by (node, operation, result) (increase(systole_resource_operations_total{$here}[$__rate_interval]))`, "{{node}}: {{operation}} {{result}}"),
		},
		{
			Title: "What would not", Width: 12, Height: 8, Unit: Count, Empty: "every operation of this range went well",
			View:  Table{Columns: []Column{{"node", "Node"}, {"group", "Group"}, {"resource", "Resource"}, {"operation", "Operation"}, {"result", "Result"}, {"Value", "Times"}}, Sort: "Times"},
			Reads: "Operations of the range that failed or ran out of time, by resource. The reason stands in the journal: journalctl SYSTOLE_EVENT=resource.failed.",
			Asks:  rows(`round(sum by (node, group, resource, operation, result) (increase(systole_resource_operations_total{$here, result!="ok"}[$__range]))) > 0`),
		},
		{
			Title: "How long they take", Width: 12, Unit: Seconds, View: TimeSeries{Log: true},
			Reads: "99 % of operations of each kind stay below this. An address takes milliseconds; what a unit takes is what it needs to say that it is ready. The scale is logarithmic.",
			Empty: "nothing was started, stopped or looked at in this range",
			Asks:  histogram{name: operation, by: "node, kind, operation"}.quantile("0.99", "{{operation}} of {{kind}} on {{node}}"),
		},
		{
			Title: "Starts", Width: 12, Unit: Seconds, View: Heatmap{},
			Reads: "How long starts took, all kinds. Cells that climb from one takeover to the next are a service that needs longer and longer: clients wait for it.",
			Empty: "nothing was started in this range",
			Asks:  histogram{name: operation, matchers: `$here, operation="start"`}.buckets(),
		},
	}
}

func resourcesReady() []Panel {
	return []Panel{
		{
			Title: "Readiness", Width: 24, Height: 9, Unit: None, View: StateTimeline{},
			Reads:  "Each check of whether a takeover by the node would work, looked at every minute. A red line is what to mend before it is needed; systole ready on that node says what is wrong. A node that starts has no line until it takes part.",
			Steps:  steps(Red, Step{1, Green}),
			Values: []Value{{0, "no", Red}, {1, "yes", Green}},
			Empty:  "no node has looked yet: they do once they take part",
			Asks:   over(`min by (node, check) (systole_takeover_ready_check{$here})`, "{{check}} on {{node}}"),
		},
	}
}

// noUnit is why the panels of units may be empty.
const noUnit = "haresources names no unit of systemd"

func resourcesUnits() []Panel {
	return []Panel{
		{
			Title: "Unit states", Width: 12, Unit: None, View: StateTimeline{}, Empty: noUnit,
			Reads:  "What systemd says of each unit, one line for each state it was in. A unit that is active where its group does not run was started by somebody else.",
			Steps:  steps(Blue),
			Values: []Value{{1, "so it is", Blue}},
			Marks:  []Mark{{Series: " failed$", Color: Red}, {Series: " active$", Color: Green}},
			Asks:   over(`max by (node, unit, state) (systole_unit_state{$here}) == 1`, "{{unit}} on {{node}} {{state}}"),
		},
		{
			Title: "Restarts of units", Width: 12, Unit: Count, View: TimeSeries{Bars: true}, Min: ptr(0), Empty: noUnit,
			Reads: "How often systemd restarted a unit by itself. Clients felt each one, though no takeover shows.",
			Asks:  over(`sum by (node, unit) (increase(systole_unit_restarts_total{$here}[$__rate_interval]))`, "{{unit}} on {{node}}"),
		},
	}
}

func resourcesAddresses() []Panel {
	return []Panel{
		{
			Title: "Addresses", Width: 12, Unit: None, View: StateTimeline{},
			Reads:  "Whether the kernel has each address, and whether another machine claims it by ARP or neighbour advertisements. A conflict means that clients reach either of two machines; it stands until nobody else has been heard for a minute. Who it is stands in the event: journalctl SYSTOLE_EVENT=address.conflict.",
			Steps:  steps(Grey, Step{1, Green}, Step{2, Red}),
			Values: []Value{{0, "not here", Grey}, {1, "here", Green}, {2, "elsewhere", Orange}, {3, "here and elsewhere", Red}},
			Asks:   over(`max by (node, address) (systole_address_present{$here}) + 2 * max by (node, address) (systole_address_conflict{$here})`, "{{address}} on {{node}}"),
		},
		{
			Title: "Conflicts of addresses", Width: 12, Unit: Count, View: TimeSeries{Bars: true}, Min: ptr(0),
			Reads: "How often another machine was seen to claim an address that this node holds, at most once a minute for each machine.",
			Asks:  over(`sum by (node, address) (increase(systole_address_conflicts_total{$here}[$__rate_interval]))`, "{{address}} on {{node}}"),
		},
	}
}

// noPolicy is why the panels of permission may be empty.
const noPolicy = "permission is none: a node holds addresses on its own word (docs/safety.md)"

func resourcesPermission() []Panel {
	return []Panel{
		{
			Title: "Evidence", Width: 12, Unit: None, View: StateTimeline{}, Empty: noPolicy,
			Reads:  "What each node's permission to hold addresses rests on now. Red is nothing: within its lease it gives up what it holds, and takes nothing over. Two nodes that rest on a vote at once cannot be: there is one.",
			Steps:  steps(Blue),
			Values: []Value{{1, "so it is", Blue}},
			Marks:  []Mark{{Series: " nothing$", Color: Red}, {Series: " peer$", Color: Green}},
			Asks:   over(`max by (node, evidence) (systole_permission{$here}) == 1`, "{{node}}: {{evidence}}"),
		},
		{
			Title: "Arbiters", Width: 12, Unit: None, View: StateTimeline{}, Empty: "no arbiter is configured",
			Reads:  "Whether each node reaches each arbiter, asked every 10 s. While the nodes hear each other none is needed; on the day the links fail, a node without its arbiter serves nothing.",
			Steps:  steps(Red, Step{1, Green}),
			Values: []Value{{0, "silent", Red}, {1, "answers", Green}},
			Asks:   over(`min by (node, arbiter) (systole_arbiter_up{$here})`, "{{arbiter}} from {{node}}"),
		},
	}
}

func resourcesWatchdog() []Panel {
	return []Panel{
		{
			Title: "Watchdog", Width: 12, Unit: Seconds, View: TimeSeries{}, Min: ptr(0), Empty: "no watchdog device",
			Reads: "The longest gap between two pings of the watchdog device against its timeout, dashed: a gap that reaches it resets the machine.",
			Marks: []Mark{{Series: "^timeout", Color: Red, Dashed: true}},
			Asks: ask(
				histogram{name: "systole_watchdog_ping_interval_seconds", by: "node"}.quantile("1", "gap on {{node}}"),
				over(`max by (node) (systole_watchdog_timeout_seconds{$here} and systole_watchdog_armed{$here} == 1)`, "timeout on {{node}}")),
		},
	}
}
