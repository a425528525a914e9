package dashboards

// Names that histograms are asked by on several boards.
const (
	interval = "systole_heartbeat_interval_seconds"
	rtt      = "systole_heartbeat_rtt_seconds"
	used     = "systole_peer_deadtime_used_ratio"
)

// noEcho is why round trips and the peer's lateness may be missing.
const noEcho = "the peer is Heartbeat 3.0.6, which does not echo and does not say how late it is"

// links asks: how near to a false death are we, and whose fault is it?
func links() Board {
	return Board{
		File: "links", UID: linksUID, Title: "systole: heartbeat links", From: "now-1h",
		Description: "How near to a false death are we, and whose fault is it: the sender's, the network's or the receiver's? \"alpha hears beta\" is alpha's view: lines of one pair that differ by node tell the two directions apart.",
		Variables:   []Variable{source, oneCluster, node, link},
		Here:        hereNodes,
		Rows: []Row{
			{Title: "How near to a false death", Panels: linksMargin()},
			{Title: "Whose fault: sender, network or receiver", Panels: linksBlame()},
			{Title: "The wires", Panels: linksWires()},
		},
	}
}

func linksMargin() []Panel {
	return []Panel{
		{
			Title: "Links", Width: 12, Unit: None, View: StateTimeline{},
			Reads:  "Green while the peer's heartbeats come over the link in time. One red line is a cable or a switch; all lines of a peer red at once is the peer, or its whole network.",
			Steps:  steps(Red, Step{1, Green}),
			Values: []Value{{0, "down", Red}, {1, "up", Green}},
			Asks:   over(`max by (node, peer, link) (systole_link_up{`+hereLinks+`})`, "{{node}} hears {{peer}} on {{link}}"),
		},
		{
			Title: "Worst use of deadtime in this range", Width: 12, Height: 8, Unit: Ratio, View: BarGauge{}, Min: ptr(0), Max: ptr(1),
			Reads: "The longest silence on all links together, as a part of deadtime; 100 % is death. The figure is the upper bound of the bucket it fell into. A healthy pair stays near keepalive divided by deadtime.",
			Steps: steps(Green, Step{0.5, Yellow}, Step{0.75, Orange}, Step{0.9, Red}),
			Empty: "no heartbeat was heard in this range",
			Asks:  histogram{name: used, by: "node, peer", window: "$__range"}.quantileNow("1", "{{node}} waits for {{peer}}"),
		},
		{
			Title: "Use of deadtime", Width: 12, Unit: Ratio, View: Heatmap{},
			Reads: "How often silences used which part of deadtime; 100 % is death. A thin band low down is health. Cells that climb are the warning you get before a false death.",
			Empty: "no heartbeat was heard in this range",
			Asks:  histogram{name: used}.buckets(),
		},
		{
			Title: "Time left until death", Width: 12, Unit: Seconds, View: TimeSeries{}, Min: ptr(0),
			Reads: "At each scrape, how much silence a peer had left; the dashed line is deadtime. Scrapes see a few instants only: the heat map beside this counts every silence.",
			Marks: []Mark{{Series: "^deadtime", Color: Red, Dashed: true}},
			Asks: ask(
				over(`min by (node, peer) (systole_peer_deadtime_left_seconds{$here})`, "{{node}} waits for {{peer}}"),
				over(`max by (node, peer) (systole_peer_deadtime_seconds{$here})`, "deadtime of {{peer}} on {{node}}")),
		},
		{
			Title: "Near misses", Width: 8, Unit: Count, View: TimeSeries{Bars: true}, Min: ptr(0),
			Reads: "Silences that used at least this part of deadtime and ended without a verdict. A healthy pair has none at all. One that used 0.9 is counted at 0.75 and 0.5 too.",
			Asks:  over(`sum by (node, peer, threshold) (increase(systole_peer_deadtime_near_misses_total{$here}[$__rate_interval]))`, "{{threshold}} of deadtime, {{node}} waits for {{peer}}"),
		},
		{
			Title: "Suspicion (phi)", Width: 8, Unit: Count, View: TimeSeries{Limits: true}, Min: ptr(0),
			Reads: "How unlikely the present silence is by the rhythm of the last 64: 1 is a chance of 10 % to be wrong in calling the peer dead, 3 of 0.1 %. Advice only; systole judges by deadtime.",
			Steps: steps(Green, Step{3, Orange}, Step{8, Red}),
			Asks:  over(`max by (node, peer) (systole_peer_suspicion_phi{$here})`, "{{node}} suspects {{peer}}"),
		},
		{
			Title: "False deaths in this range", Width: 8, Height: 8, Unit: Count, View: Stat{},
			Reads: "Peers that were declared dead and had been alive all along. Anything but 0: raise deadtime above the longest silence in the heat map, or cure what caused it.",
			Steps: steps(Green, Step{0.5, Red}),
			Asks:  now(`sum by (node, peer) (increase(systole_peer_false_deaths_total{$here}[$__range]))`, "{{node}} about {{peer}}"),
		},
	}
}

func linksBlame() []Panel {
	return []Panel{
		{
			Title: "Arrival interval with the limits of ha.cf", Width: 12, Unit: Seconds, View: TimeSeries{Log: true},
			Reads: "Time between two heartbeats on one link: 99 % stay below the lower line, all below the upper. Dashed are keepalive, where the lines belong, warntime and deadtime. The scale is logarithmic.",
			Empty: "no heartbeat was heard in this range",
			Marks: []Mark{{Series: "^keepalive$", Color: Green, Dashed: true}, {Series: "^warntime$", Color: Orange, Dashed: true}, {Series: "^deadtime$", Color: Red, Dashed: true}},
			Asks: ask(
				histogram{name: interval, matchers: hereLinks, by: "node, peer, link"}.quantile("0.99", "p99 {{node}} hears {{peer}} on {{link}}"),
				histogram{name: interval, matchers: hereLinks, by: "node, peer, link"}.quantile("1", "max {{node}} hears {{peer}} on {{link}}"),
				over(`max by (setting) (systole_timing_seconds{$here, setting=~"keepalive|warntime|deadtime"})`, "{{setting}}")),
		},
		{
			Title: "Arrival interval", Width: 12, Unit: Seconds, View: Heatmap{},
			Reads: "All intervals of the chosen links and nodes. The band belongs at keepalive. Cells above it are late or lost heartbeats, cells below it are those that came in a bunch after a pause. Pink dots lead to the trace of an incident.",
			Empty: "no heartbeat was heard in this range",
			Asks:  histogram{name: interval, matchers: hereLinks}.buckets(),
		},
		{
			Title: "Lateness: sender", Width: 8, Unit: Seconds, View: TimeSeries{},
			Reads: "How late heartbeats were sent, 99 % of them: by this node's own measure, and by what the peer says of itself in its heartbeats. If these rise the processor is to blame, not the network.",
			Empty: noEcho,
			Asks: ask(
				histogram{name: "systole_heartbeat_send_lateness_seconds", by: "node"}.quantile("0.99", "{{node}} sends late"),
				histogram{name: "systole_peer_send_lateness_seconds", by: "node, peer"}.quantile("0.99", "{{peer}} says so to {{node}}")),
		},
		{
			Title: "Lateness: receiver", Width: 8, Unit: Seconds, View: TimeSeries{},
			Reads: "Our own delay: how long 99 % of heartbeats that had arrived waited for the event loop, and the longest time by which the loop itself ran late. A stall as long as warntime makes the peer look late, which is why peers are not judged during one.",
			Empty: "no heartbeat was heard in this range",
			Asks: ask(
				histogram{name: "systole_heartbeat_wait_seconds", by: "node"}.quantile("0.99", "waited on {{node}}"),
				histogram{name: "systole_event_loop_stall_seconds", by: "node"}.quantile("1", "loop of {{node}} stalled")),
		},
		{
			Title: "Lateness: network", Width: 8, Unit: Seconds, View: TimeSeries{},
			Reads: "Round trips, less the time the peer held them: the median, 99 %, the longest. If these rise while sender and receiver keep time, it is the network.",
			Empty: noEcho,
			Asks: ask(
				histogram{name: rtt, matchers: hereLinks, by: "node, peer, link"}.quantile("0.5", "p50 {{node}} and {{peer}} on {{link}}"),
				histogram{name: rtt, matchers: hereLinks, by: "node, peer, link"}.quantile("0.99", "p99 {{node}} and {{peer}} on {{link}}"),
				histogram{name: rtt, matchers: hereLinks, by: "node, peer, link"}.quantile("1", "max {{node}} and {{peer}} on {{link}}")),
		},
		{
			Title: "Round trip", Width: 12, Unit: Seconds, View: Heatmap{},
			Reads: "All round trips of the chosen links and nodes. Two bands are two paths: choose one link at the top to see which.",
			Empty: noEcho,
			Asks:  histogram{name: rtt, matchers: hereLinks}.buckets(),
		},
		{
			Title: "Ping nodes", Width: 12, Unit: Seconds, View: TimeSeries{},
			Reads: "Round trip to each ping node, 99 % of them: what the path to the rest of the world looks like. If it rises with the links' it is the network they share.",
			Empty: "ha.cf names no ping node, or none answers",
			Asks:  histogram{name: "systole_ping_node_rtt_seconds", by: "node, ping_node"}.quantile("0.99", "{{node}} to {{ping_node}}"),
		},
	}
}

func linksWires() []Panel {
	return []Panel{
		{
			Title: "Heard", Width: 12, Unit: PerSecond, View: TimeSeries{},
			Reads: "Heartbeats heard on each link. Two nodes on three links with a keepalive of 1 s make a flat line at 1 for each; a step is a link that went or came.",
			Asks:  over(`sum by (node, peer, link) (rate(systole_heartbeats_received_total{`+hereLinks+`}[$__rate_interval]))`, "{{node}} hears {{peer}} on {{link}}"),
		},
		{
			Title: "Lost, late, reordered, doubled", Width: 12, Unit: PerSecond, View: TimeSeries{},
			Reads: "What went wrong on the way. Lost on one link alone is that wire. Late on all links is the sender or this node. Doubled and reordered point at a bridge loop or at bonding.",
			Asks: ask(
				over(`sum by (node, peer, link) (rate(systole_heartbeats_lost_total{`+hereLinks+`}[$__rate_interval]))`, "lost: {{peer}} to {{node}} on {{link}}"),
				over(`sum by (node, peer, link) (rate(systole_heartbeats_late_total{`+hereLinks+`}[$__rate_interval]))`, "late: {{peer}} to {{node}} on {{link}}"),
				over(`sum by (node, peer, link) (rate(systole_heartbeats_reordered_total{`+hereLinks+`}[$__rate_interval]))`, "reordered: {{peer}} to {{node}} on {{link}}"),
				over(`sum by (node, peer, link) (rate(systole_heartbeats_duplicate_total{`+hereLinks+`}[$__rate_interval]))`, "doubled: {{peer}} to {{node}} on {{link}}")),
		},
		{
			Title: "Not believed", Width: 8, Unit: Count, View: TimeSeries{Bars: true}, Min: ptr(0),
			Reads: "Datagrams that were turned down, by reason. bad_signature or unknown_key: authkeys differ. unknown_node: another cluster on the same port. replay: somebody repeats old ones. A healthy cluster has none.",
			Asks:  over(`sum by (node, link, reason) (increase(systole_heartbeats_rejected_total{`+hereLinks+`}[$__rate_interval]))`, "{{reason}} on {{link}} of {{node}}"),
		},
		{
			Title: "Not sent", Width: 8, Unit: Count, View: TimeSeries{Bars: true}, Min: ptr(0),
			Reads: "Datagrams the kernel would not take, by reason: no_device and no_route are an interface that is down, no_buffer a queue that is full.",
			Asks:  over(`sum by (node, link, reason) (increase(systole_heartbeat_send_errors_total{`+hereLinks+`}[$__rate_interval]))`, "{{reason}} on {{link}} of {{node}}"),
		},
		{
			Title: "Asked for again", Width: 8, Unit: Count, View: TimeSeries{Bars: true}, Min: ptr(0),
			Reads: "Messages that had to be sent again, because one that must not be missing did not come on any link. It follows losses on all links at once.",
			Asks:  over(`sum by (node, peer, direction) (increase(systole_retransmit_requests_total{$here}[$__rate_interval]))`, "{{node}} and {{peer}}, {{direction}}"),
		},
		{
			Title: "Change of one-way delay", Width: 12, Unit: Seconds, View: TimeSeries{},
			Reads: "By how much the way from peer to node took longer or shorter from one heartbeat to the next, 99 % of the changes. It needs no common clock, and tells which direction is unsteady.",
			Empty: noEcho,
			Asks:  histogram{name: "systole_heartbeat_delay_variation_seconds", matchers: hereLinks, by: "node, peer, link"}.quantile("0.99", "{{peer}} to {{node}} on {{link}}"),
		},
		{
			Title: "The peer's clock against ours", Width: 12, Unit: Seconds, View: TimeSeries{},
			Reads: "The peer's wall clock less ours, in the dashed band that the measurement can be wrong by. systole needs no clocks that agree; whoever compares logs does.",
			Empty: noEcho,
			Marks: []Mark{{Series: "bound$", Color: Grey, Dashed: true}},
			Asks: ask(
				over(`max by (node, peer) (systole_clock_offset_seconds{$here} and systole_clock_offset_error_seconds{$here} > 0)`, "{{peer}} against {{node}}"),
				over(`max by (node, peer) (systole_clock_offset_seconds{$here} + (systole_clock_offset_error_seconds{$here} > 0))`, "{{peer}} against {{node}}, upper bound"),
				over(`min by (node, peer) (systole_clock_offset_seconds{$here} - (systole_clock_offset_error_seconds{$here} > 0))`, "{{peer}} against {{node}}, lower bound")),
		},
		{
			Title: "Ups and downs", Width: 12, Unit: Count, View: TimeSeries{Bars: true}, Min: ptr(0),
			Reads: "How often links went up or down. Many pairs of both are a loose cable, a flapping port or a deadtime that is too short.",
			Asks:  over(`sum by (node, peer, link, to) (increase(systole_link_transitions_total{`+hereLinks+`}[$__rate_interval]))`, "{{to}}: {{node}} hears {{peer}} on {{link}}"),
		},
		{
			Title: "Links and ping nodes at hand", Width: 12, Unit: None, View: StatusHistory{},
			Reads:  "Whether each link's own socket or line is usable on this node, whatever the peer does, and whether each ping node answers. Red here is a fault at this end.",
			Steps:  steps(Red, Step{1, Green}),
			Values: []Value{{0, "no", Red}, {1, "yes", Green}},
			Asks: ask(
				over(`min by (node, link) (systole_link_open{`+hereLinks+`})`, "{{link}} of {{node}} is open"),
				over(`min by (node, ping_node) (systole_ping_node_up{$here})`, "{{ping_node}} answers {{node}}")),
		},
	}
}
