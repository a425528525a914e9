package dashboards

// Boards by their stable names.
const (
	overviewUID  = "systole-overview"
	linksUID     = "systole-links"
	takeoverUID  = "systole-takeover"
	resourcesUID = "systole-resources"
	daemonUID    = "systole-daemon"
)

// notMeasured is why a panel of a metric that nothing exports yet is empty.
const notMeasured = "this version of systole does not measure it yet"

// notMeasuredYet is the row for such panels, at the end of a board and closed.
const notMeasuredYet = "Not measured yet"

// overview asks: is anything wrong, and who serves? It has no choice of nodes,
// since who serves is a question about all of them.
func overview() Board {
	return Board{
		File: "overview", UID: overviewUID, Title: "systole: clusters", From: "now-6h",
		Description: "Is anything wrong, and who serves? One look at every failover cluster. A click on a figure leads to its cluster.",
		Variables:   []Variable{source, anyCluster},
		Here:        hereClusters,
		Rows: []Row{
			{Title: "Is anything wrong?", Panels: overviewNow()},
			{Title: "Who serves", Panels: overviewServing()},
			{Title: "What runs where", Panels: overviewVersions()},
		},
	}
}

func overviewNow() []Panel {
	return []Panel{
		{
			Title: "Groups without an owner", Width: 4, Unit: Count, View: Stat{}, Details: resourcesUID,
			Reads: "Groups of resources that run on no node. Anything but 0 is an outage, unless a takeover is under way at this moment.",
			Steps: steps(Green, Step{1, Red}),
			Asks:  now(`sum by (cluster) (sum by (cluster, group) (systole_resource_group_active{$here}) == bool 0)`, "{{cluster}}"),
		},
		{
			Title: "Groups with two owners", Width: 4, Unit: Count, View: Stat{}, Details: resourcesUID,
			Reads: "Groups that more than one node says it runs. During a move two scrapes may fall on either side of it and show 1 for one interval; longer than that is a split brain.",
			Steps: steps(Green, Step{1, Red}),
			Asks:  now(`sum by (cluster) (sum by (cluster, group) (systole_resource_group_active{$here}) > bool 1)`, "{{cluster}}"),
		},
		{
			Title: "Split brain", Width: 4, Unit: None, View: Stat{}, Details: takeoverUID,
			Reads:  "Whether a daemon has evidence of two owners of one group. If so, stop systole on the node with the worse data.",
			Steps:  steps(Green, Step{1, Red}),
			Values: []Value{{0, "none", Green}, {1, "suspected", Red}},
			Asks:   now(`max by (cluster) (systole_split_brain_suspected{$here})`, "{{cluster}}"),
		},
		{
			Title: "Links left", Width: 4, Unit: Count, View: Stat{}, Details: linksUID,
			Reads: "Links on which each node hears its peer. 1 means that the next cut cable looks like a death; 0 is a peer that is not heard at all.",
			Steps: steps(Red, Step{1, Orange}, Step{2, Green}),
			Asks:  now(`sum by (cluster, node, peer) (systole_link_up{$here})`, "{{node}} hears {{peer}}"),
		},
		{
			Title: "Peers", Width: 4, Unit: None, View: Stat{Name: true}, Details: linksUID,
			Reads: "What each node takes its peer for. \"active\" is the one good state for long; \"dead\" calls for you; \"unknown\" has said goodbye or was never heard.",
			Steps: steps(Green),
			Marks: []Mark{{Series: ": dead$", Color: Red}, {Series: ": (unknown|leaving|init|up)$", Color: Yellow}},
			Asks:  now(`max by (cluster, node, peer, state) (systole_peer_state{$here}) == 1`, "{{peer}}: {{state}}"),
		},
		{
			Title: "Would a takeover work now", Width: 4, Unit: None, View: Stat{}, Details: resourcesUID,
			Reads:  "The last look of each node, a minute old at most: whether its units can be loaded, its interface carries, the address is free and so on. \"no\" means that the next fault finds no one to take over; the board of resources names the check, systole ready says why.",
			Steps:  steps(Red, Step{1, Green}),
			Values: []Value{{0, "no", Red}, {1, "yes", Green}},
			Empty:  "no node has looked yet: they do once they take part",
			Asks:   now(`min by (cluster, node) (systole_takeover_ready{$here})`, "{{cluster}} {{node}}"),
		},
		{
			Title: "Worst use of deadtime in the last hour", Width: 8, Height: 7, Unit: Ratio, View: BarGauge{}, Min: ptr(0), Max: ptr(1), Details: linksUID,
			Reads: "The longest silence of each peer as a part of deadtime: at 100 % it is declared dead. The figure is the upper bound of the bucket it fell into. Above 50 % for no known reason, look at its links before the next one passes 100 %.",
			Steps: steps(Green, Step{0.5, Yellow}, Step{0.75, Orange}, Step{0.9, Red}),
			Empty: "no heartbeat was heard for an hour",
			Asks:  histogram{name: "systole_peer_deadtime_used_ratio", by: "cluster, node, peer", window: "1h"}.quantileNow("1", "{{cluster}}: {{node}} waits for {{peer}}"),
		},
		{
			Title: "Since the last takeover", Width: 4, Height: 7, Unit: Seconds, View: Stat{}, Details: takeoverUID,
			Reads: "Time since a node of the cluster last acquired groups, a start and a planned move included. Known over restarts of the daemon.",
			Steps: steps(Orange, Step{3600, Yellow}, Step{86400, Green}),
			Empty: "no takeover is known",
			Asks:  now(`time() - max by (cluster) (systole_takeover_last_timestamp_seconds{$here} > 0)`, "{{cluster}}"),
		},
		{
			Title: "Firing alerts", Width: 12, Height: 7, Unit: None, Empty: "no alert is firing",
			View:  Table{Columns: []Column{{"severity", "Severity"}, {"alertname", "Alert"}, {"cluster", "Cluster"}, {"node", "Node"}, {"peer", "Peer"}, {"group", "Group"}}},
			Reads: "Alerts of alerts/systole.rules.yml that fire, without the dead man's switch, which always does. Each has a runbook of its name.",
			Asks:  rows(`ALERTS{alertname=~"Systole.+", alertname!="SystoleDeadMansSwitch", alertstate="firing", $here}`),
		},
	}
}

func overviewServing() []Panel {
	return []Panel{
		{
			Title: "Who owns each group", Width: 24, Unit: None, View: StateTimeline{}, Details: takeoverUID,
			Reads:  "One line for each group on each node, green while all of the group runs there. A move is where green ends on one line and begins on another; the gap between is the outage, to the precision of the scrape interval. The board of takeovers has it to the millisecond.",
			Steps:  steps(Grey, Step{1, Green}),
			Values: []Value{{0, "not here", Grey}, {1, "runs", Green}},
			Asks:   over(`max by (cluster, group, node) (systole_resource_group_active{$here})`, "{{group}} on {{node}}"),
		},
		{
			Title: "Peers over time", Width: 12, Unit: None, View: StateTimeline{}, Details: linksUID,
			Reads:  "Green while the peer is active in the eyes of a node, red while it is called dead, yellow in any other state.",
			Steps:  steps(Yellow, Step{1, Green}, Step{2, Red}),
			Values: []Value{{0, "init, up, leaving or unknown", Yellow}, {1, "active", Green}, {2, "dead", Red}},
			Asks:   over(`max by (cluster, node, peer) (systole_peer_state{$here, state="active"}) + 2 * max by (cluster, node, peer) (systole_peer_state{$here, state="dead"})`, "{{node}} sees {{peer}}"),
		},
		{
			Title: "What each node holds", Width: 6, Height: 8, Unit: None, View: Stat{Name: true}, Details: resourcesUID,
			Reads: "As cl_status rscstatus says it: local are the groups that prefer the node, foreign those that prefer its peer. \"transition\" is a move under way.",
			Marks: []Mark{{Series: ": transition$", Color: Yellow}, {Series: ": (none|foreign)$", Color: Blue}},
			Asks:  now(`max by (cluster, node, state) (systole_node_resources{$here}) == 1`, "{{node}}: {{state}}"),
		},
		{
			Title: "In standby since", Width: 6, Height: 8, Unit: Ago, View: Stat{}, Details: resourcesUID,
			Reads: "Nodes whose own groups an operator gave away with hb_standby, and since when. One that is forgotten costs the cluster its spare.",
			Steps: steps(Blue),
			Empty: "no node is in standby",
			Asks:  now(`max by (cluster, node) (systole_node_standby_since_timestamp_seconds{$here} > 0) * 1000`, "{{cluster}} {{node}}"),
		},
	}
}

func overviewVersions() []Panel {
	return []Panel{
		{
			Title: "Nodes and versions", Width: 16, Unit: None,
			View:  Table{Columns: []Column{{"cluster", "Cluster"}, {"node", "Node"}, {"version", "Version"}, {"wire", "Wire"}, {"auto_failback", "auto_failback"}}},
			Reads: "Every node that answers Prometheus. A node that is missing here is down, or only its exporter is: its peer's word, above, decides. Two versions in one cluster are an upgrade under way.",
			Asks:  rows(`max by (cluster, node, version, wire, auto_failback) (systole_node_info{$here} * on (cluster, node) group_left (version) systole_build_info{$here})`),
		},
		{
			Title: "Files the same on both nodes", Width: 8, Height: 6, Unit: None, View: Stat{}, Details: daemonUID,
			Reads:  "Whether ha.cf and haresources mean the same on both nodes, by the hashes in the heartbeats. Nodes with different haresources may both start a group, or neither.",
			Steps:  steps(Red, Step{1, Green}),
			Values: []Value{{0, "no", Red}, {1, "yes", Green}},
			Empty:  "no peer says what its files are: it is not heard, or it is Heartbeat 3.0.6, which does not say",
			Asks:   now(`min by (cluster, file) (systole_peer_config_match{$here})`, "{{cluster}} {{file}}"),
		},
	}
}
