package delay

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/mark"
	"github.com/systole-ha/systole/resources/resourcetest"
)

var spec, text = resourcetest.Spec, resourcetest.Text

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		name, word string
		want       Delays
		err        string
	}{
		{name: "without arguments it is heartbeat's ten seconds", word: "Delay", want: Delays{10 * time.Second, 10 * time.Second}},
		{name: "one argument is both delays", word: "Delay::5", want: Delays{5 * time.Second, 5 * time.Second}},
		{name: "the second is that at the stop", word: "Delay::5::0.25", want: Delays{5 * time.Second, 250 * time.Millisecond}},
		{name: "nothing is a delay too", word: "Delay::0::0", want: Delays{}},
		{name: "a point may come first or last", word: "Delay::.5::2.", want: Delays{500 * time.Millisecond, 2 * time.Second}},
		{name: "the longest there may be", word: "Delay::99.5", want: Delays{99500 * time.Millisecond, 99500 * time.Millisecond}},
		{name: "as long as an operation may take", word: "Delay::100", err: "a delay of 100 s is no use: starts and stops fail when they have taken 1m40s"},
		{name: "longer than any time", word: "Delay::99999999999999999999999", err: "a delay of 99999999999999999999999 s is no use: starts and stops fail when they have taken 1m40s"},
		{name: "a unit", word: "Delay::5s", err: `"5s" is not a delay: write seconds without a unit, as in 10 or 0.5`},
		{name: "less than nothing", word: "Delay::1::-1", err: `"-1" is not a delay: write seconds without a unit, as in 10 or 0.5`},
		{name: "no number", word: "Delay::", err: `"" is not a delay: write seconds without a unit, as in 10 or 0.5`},
		{name: "a number that only Go knows", word: "Delay::1e1", err: `"1e1" is not a delay: write seconds without a unit, as in 10 or 0.5`},
		{name: "two points", word: "Delay::1.2.3", err: `"1.2.3" is not a delay: write seconds without a unit, as in 10 or 0.5`},
		{name: "a third", word: "Delay::1::2::3", err: "Delay takes at most two arguments, the delays at start and stop: write Delay::1::2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := spec(t, tt.word)
			got, err := Parse(s)
			if got != tt.want || text(err) != tt.err {
				t.Errorf("Parse(%s):\n got %v, %q\nwant %v, %q", s, got, text(err), tt.want, tt.err)
			}
			found := New(mark.In(t.TempDir())).Check(t.Context(), s)
			if fatal := len(found) == 1 && found[0].Fatal && found[0].Text == tt.err; fatal != (tt.err != "") {
				t.Errorf("Check(%s): got %v, want the same error", s, found)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, word := range []string{"Delay", "Delay::1", "Delay::1.5::0", "Delay::1::2::3"} {
		f.Add(word)
	}
	f.Fuzz(func(t *testing.T, word string) {
		s, err := resources.ParseSpec(word)
		if err != nil {
			return
		}
		d, err := Parse(s)
		if err == nil && (min(d.Start, d.Stop) < 0 || max(d.Start, d.Stop) >= resources.Timeout) {
			t.Errorf("Parse(%q) = %v", word, d)
		}
	})
}

func TestDelay(t *testing.T) {
	s := resources.Spec{Name: "Delay", Args: []string{"7", "3"}}
	synctest.Test(t, func(t *testing.T) {
		d := New(mark.In(t.TempDir()))
		for _, step := range []struct {
			name string
			do   func(context.Context, resources.Spec) error
			took time.Duration
			then resources.Status
		}{
			{"a stop of what was not started waits for nothing", d.Stop, 0, resources.Stopped},
			{"a start waits", d.Start, 7 * time.Second, resources.Running},
			{"a start of what is started waits for nothing", d.Start, 0, resources.Running},
			{"a stop waits", d.Stop, 3 * time.Second, resources.Stopped},
			{"and once only", d.Stop, 0, resources.Stopped},
		} {
			began := time.Now()
			err := step.do(t.Context(), s)
			then, look := d.Status(t.Context(), s)
			if took := time.Since(began); err != nil || look != nil || took != step.took || then != step.then {
				t.Errorf("%s:\n got %v, %v after %v, %v\nwant %v after %v", step.name, err, then, took, look, step.then, step.took)
			}
		}
	})
}

func TestDelayThatIsCutShort(t *testing.T) {
	s := resources.Spec{Name: "Delay", Args: []string{"7"}}
	synctest.Test(t, func(t *testing.T) {
		d := New(mark.In(t.TempDir()))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := d.Start(ctx, s); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Start: got %v, want the end of its context", err)
		}
		if got, err := d.Status(t.Context(), s); got != resources.Stopped || err != nil {
			t.Errorf("Status: got %v, %v; want stopped", got, err)
		}
	})
}
