package metrics

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/event"
)

func TestFencingIsCounted(t *testing.T) {
	cfg := reference()
	cfg.Fencing = []string{"stonith:external/ipmi", "fence_pdu", "fence_pdu"}
	m := open(t, cfg)
	before := page(t, m)
	for _, tt := range []struct {
		name  string
		event event.Event
		want  []string
	}{
		{"a try that fails", event.FenceAttempted{Method: "fence_pdu", Result: "timeout", Took: time.Minute}, []string{
			`systole_fence_duration_seconds_count{method="fence_pdu"} 1`,
			`systole_fence_duration_seconds_sum{method="fence_pdu"} 60`,
			`systole_fence_operations_total{method="fence_pdu",result="timeout"} 1`,
		}},
		{"all that fail", event.FenceFailed{Peer: "beta"}, []string{`systole_fence_failed 1`}},
		{"a person's word", event.FenceCompleted{Peer: "beta", Result: "confirmed", By: "operator"}, []string{
			`systole_fence_failed 0`,
			`systole_fence_operations_total{method="operator",result="ok"} 1`,
		}},
		{"a device that nobody has configured", event.FenceAttempted{Method: "fence_x", Result: "ok"}, nil},
	} {
		tell(m, boot, tt.event)
		now := page(t, m)
		got := slices.DeleteFunc(moved(before, now), func(line string) bool { return strings.HasPrefix(line, "systole_events_total") })
		slices.Sort(got)
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: moved\n got %s\nwant %s", tt.name, strings.Join(got, "\n     "), strings.Join(tt.want, "\n     "))
		}
		before = now
	}
	if without := page(t, open(t, reference())); strings.Contains(without, "systole_fence_") || strings.Contains(without, `event="fence.`) {
		t.Error("where no fencing is configured there are series of it")
	}
}
