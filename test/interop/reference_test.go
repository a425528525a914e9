package interop

import (
	"encoding/json"
	"os"
	"slices"
	"sync"
	"testing"
	"time"
)

const referenceName = "testdata/reference.json"

// complaintsBySteps are what daemons complained of, by the name of the step.
type complaintsBySteps map[string][]string

// reference is what two Heartbeat nodes write to each other's logs, at the level
// of warnings and above, in the same steps, as recorded by -record.
var reference = sync.OnceValue(func() complaintsBySteps {
	text, err := os.ReadFile(referenceName)
	if err != nil {
		panic(err)
	}
	all := complaintsBySteps{}
	if err := json.Unmarshal(text, &all); err != nil {
		panic(err)
	}
	return all
})

// usual is what a 3.0.6 node complains of before it has heard anybody, or of the
// machine, whoever its peer is.
var usual = []string{
	"ERROR: Cannot lock ourselves into memory:  System limits on locked-in memory are too small.",
	"WARN: Consider setting /proc/sys/kernel/core_uses_pid (or equivalent) to N for maximum supportability",
	"WARN: Consider setting non-default value in /proc/sys/kernel/core_pattern (or equivalent) for maximum supportability",
	"WARN: Core dumps could be lost if multiple dumps occur.",
	"WARN: Initial dead time [N ms] may be too small!",
	"WARN: Logging daemon is disabled --enabling logging daemon is recommended",
	"WARN: No Previous generation - starting at N",
	"WARN: Late heartbeat: Node NODE: interval N ms",
	"WARN: Gmain_timeout_dispatch: Dispatch function for check for signals was delayed N ms (> N ms) before being called (GSource: N)",
	"WARN: Gmain_timeout_dispatch: Dispatch function for send local status was delayed N ms (> N ms) before being called (GSource: N)",
	// It is in transition for ten seconds after it has taken over alone.
	"WARN: Shutdown delayed until current resource activity finishes.",
}

// late is what systole reports of a machine that has other work to do. Its check
// once a minute may come in any step, and find a link on which the peer's next
// heartbeat is late.
var late = []string{"agent.late", "heartbeat.late", "readiness.changed"}

func (k complaintsBySteps) add(step string, more []string) {
	all := append(slices.Clone(k[step]), more...)
	slices.Sort(all)
	k[step] = slices.Compact(all)
}

func (k complaintsBySteps) write(t *testing.T) {
	t.Helper()
	text, err := json.MarshalIndent(k, "", "  ")
	must(t, err)
	must(t, os.WriteFile(referenceName, append(text, '\n'), 0o644))
}

// recordReference has two Heartbeat nodes take the steps, and keeps what they
// complain of.
func recordReference(t *testing.T, cfg configuration) {
	s := newStage(t, cfg, heartbeat, heartbeat)
	for _, step := range walk(wholeLife) {
		if !step.possible(s) {
			continue
		}
		began := time.Now()
		s.perform(step)
		for _, n := range s.nodes() {
			reference().add(step.occasion(), complaints(heartbeat, s.news(n)))
		}
		reference().write(t)
		t.Logf("%-45s %v", step.name, time.Since(began).Round(time.Millisecond))
	}
}
