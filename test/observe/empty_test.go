package observe

// What the cluster of the long run does not have. Each has tests of its own.
const (
	noFence    = "nothing is fenced here: test/failover TestFence"
	noArbiter  = "there is no third machine here: test/failover TestArbiter"
	noWatchdog = "there is no watchdog device: agent/watchdog"
)

// empty are the queries that have no answer in the long run, and why not. One
// that has an answer must leave the list.
var empty = map[string]string{
	"SystoleClockSkew":          "both nodes have this machine's clock",
	"SystoleFencingFailed":      noFence,
	"SystoleArbiterDown":        noArbiter,
	"SystolePermissionDenied":   noArbiter,
	"takeovers/Fencing/A":       noFence,
	"takeovers/Time to fence/A": noFence,
	"takeovers/Time to fence/B": noFence,
	"resources/Evidence/A":      noArbiter,
	"resources/Arbiters/A":      noArbiter,
	"resources/Watchdog/A":      noWatchdog,
	"resources/Watchdog/B":      noWatchdog,
	"resources/Watchdog/C":      noWatchdog,
}

// still are the families that do not move in the long run, and why not. One that
// moves must leave the list.
var still = map[string]string{
	"systole_permission":                     noArbiter,
	"systole_arbiter_up":                     noArbiter,
	"systole_fence_operations_total":         noFence,
	"systole_fence_duration_seconds":         noFence,
	"systole_fence_failed":                   noFence,
	"systole_watchdog_armed":                 noWatchdog,
	"systole_watchdog_timeout_seconds":       noWatchdog,
	"systole_watchdog_ping_interval_seconds": noWatchdog,
}
