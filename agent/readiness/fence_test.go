package readiness

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestWhatDevicesAnswer(t *testing.T) {
	answers := func(err error) func(context.Context) error {
		return func(context.Context) error { return err }
	}
	hangs := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	for _, tt := range []struct {
		name    string
		devices []Device
		want    Verdict
	}{
		{"all do", []Device{{"fence_ipmilan", answers(nil)}, {"fence_apc_snmp", answers(nil)}}, Verdict{FenceDevice, true, "fence_ipmilan answers; fence_apc_snmp answers"}},
		{"one of the second level does not", []Device{{"fence_ipmilan", answers(nil)}, {"fence_apc_snmp", answers(errors.New("no route to host"))}}, Verdict{FenceDevice, false, "no route to host"}},
		{"one hangs", []Device{{"fence_ipmilan", hangs}, {"fence_apc_snmp", answers(nil)}}, Verdict{FenceDevice, false, "fence_ipmilan: no answer within 20s"}},
		{"a person is not asked", []Device{{Name: "manual"}}, Verdict{FenceDevice, true, "manual is done by a person"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.devices = tt.devices
				report := w.checker().look(t.Context(), true)
				if got := report.Verdicts[len(report.Verdicts)-1]; got != tt.want || report.Ready() != tt.want.Ready {
					t.Errorf("\n got %+v\nwant %+v", got, tt.want)
				}
			})
		})
	}
	if report := newWorld(t).checker().look(t.Context(), true); len(report.Verdicts) != len(checks) {
		t.Errorf("without fencing there are %d verdicts, want %d", len(report.Verdicts), len(checks))
	}
}

// Devices are asked far less often than everything else, and at once where a
// person wants to know.
func TestHowOftenDevicesAreAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var asked int // of the bubble: the checker and this test take turns
		var gone error
		w.devices = []Device{{"fence_ipmilan", func(context.Context) error { asked++; return gone }}}
		c := run(t, w)
		for _, step := range []struct {
			name  string
			gone  error
			after time.Duration
			want  int
		}{
			{"at first", nil, 2 * time.Second, 1},
			{"then every ten minutes", nil, 40 * time.Minute, 4},
			{"and when it does not answer", errors.New("no route to host"), 10 * time.Minute, 1},
			{"every minute", errors.New("no route to host"), 10 * time.Minute, 10},
		} {
			asked, gone = 0, step.gone
			time.Sleep(step.after)
			synctest.Wait()
			if asked != step.want {
				t.Errorf("%s: asked %d times in %v, want %d", step.name, asked, step.after, step.want)
			}
		}
		asked, gone = 0, nil
		if report, err := c.Ask(t.Context()); err != nil || !report.Ready() || asked != 1 {
			t.Errorf("a person is told %+v, %v after %d questions", report, err, asked)
		}
	})
}
