package observe

// empty are the queries that have no answer in the long run, and why not. One
// that has an answer must leave the list.
var empty = map[string]string{
	"SystoleTakeoverSlow":      "no takeover takes half a minute",
	"SystoleClockSkew":         "both nodes have this machine's clock",
	"SystoleTelemetryDropping": "nothing is dropped",
}

// still are the families that do not move in the long run, and why not. One that
// moves must leave the list.
var still = map[string]string{
	"systole_gratuitous_arp_errors_total": "the kernel takes every announcement",
	"systole_events_dropped_total":        "nothing is dropped: a sink that stands still has room for 1024 records",
}
