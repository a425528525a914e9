package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/systole-ha/systole/agent/config"
	"github.com/systole-ha/systole/agent/control"
	"github.com/systole-ha/systole/agent/control/controltest"
	"github.com/systole-ha/systole/agent/readiness"
)

func TestReadyCommand(t *testing.T) {
	fine := readiness.Verdict{Check: "clock", Ready: true, Reason: "the clock of beta is within a second of ours"}
	masked := readiness.Verdict{Check: "units_loadable", Reason: "nginx.service is masked"}
	for _, tt := range []struct {
		name   string
		report readiness.Report
		code   int
		want   string
	}{
		{
			name: "ready", report: readiness.Report{Verdicts: []readiness.Verdict{fine}}, code: readyYes,
			want: "a takeover here would work\n  clock  yes  the clock of beta is within a second of ours\n",
		},
		{
			name: "not ready", report: readiness.Report{Verdicts: []readiness.Verdict{masked, fine}}, code: readyNo,
			want: "a takeover here WOULD NOT WORK\n" +
				"  units_loadable  NO   nginx.service is masked\n" +
				"  clock           yes  the clock of beta is within a second of ours\n",
		},
		{
			name: "not judged", report: readiness.Report{Unjudged: "this node does not take part yet"}, code: readyUnknown,
			want: "cannot tell whether a takeover here would work: this node does not take part yet\n",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := startDaemon(t, &controltest.Daemon{Snapshot: controltest.Pair(), Nodes: controltest.PairNodes(), Report: tt.report})
			var stdout, stderr bytes.Buffer
			if code := runReady(d.Socket, false, &stdout, &stderr); code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			if got := stdout.String(); got != tt.want || stderr.Len() > 0 {
				t.Errorf("printed\n%s%s\nwant\n%s", got, stderr.String(), tt.want)
			}
			stdout.Reset()
			if code := runReady(d.Socket, true, &stdout, &stderr); code != tt.code {
				t.Errorf("as JSON: exit code %d, want %d", code, tt.code)
			}
			var got control.Ready
			if err := json.Unmarshal(stdout.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if got.Ready != (tt.code == readyYes) || got.Judged != (tt.code != readyUnknown) || len(got.Checks) != len(tt.report.Verdicts) {
				t.Errorf("as JSON: %s", stdout.String())
			}
		})
	}
}

func TestReadyWithoutADaemon(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if code := runReady("/run/systole/nowhere.sock", false, &stdout, &stderr); code != readyUnknown {
		t.Errorf("exit code %d, want %d", code, readyUnknown)
	}
	if got := stderr.String(); !strings.HasPrefix(got, "systole: systole is not running") || stdout.Len() > 0 {
		t.Errorf("printed %q and %q", stdout.String(), got)
	}
}

// TestLookingHasItsOwnDrivers holds the looks apart from the starts and stops,
// which would have to wait for them.
func TestLookingHasItsOwnDrivers(t *testing.T) {
	d := newDaemon(&config.Config{}, "", nil)
	looking := d.lookingDrivers()
	for i, e := range d.registry.entries {
		if other := looking.entries[i]; other.name != e.name || other.driver == e.driver {
			t.Errorf("%s looks for what %s starts and stops, with the same driver: %v", other.name, e.name, other.driver == e.driver)
		}
	}
}
