package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/systole-ha/systole/exporters/ledger"
)

func TestOutagesPage(t *testing.T) {
	began := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	book := ledger.Book{
		Node: "beta",
		Groups: map[string]ledger.Account{
			"IPaddr::192.0.2.10": {Seconds: map[string]float64{"peer_dead": 0.562, "failback": 0.108}},
			"IPaddr::192.0.2.20": {},
		},
		Outages: []ledger.Outage{
			{Group: "IPaddr::192.0.2.10", From: "alpha", To: "beta", Cause: "peer_dead", Began: began, Seconds: 0.562, Trace: "4fa158557a6baac3e206ed1b900945e6"},
			{Group: "IPaddr::192.0.2.10", To: "beta", Cause: "start", Began: began.Add(time.Hour), Seconds: 75},
		},
	}
	want := `BEGAN                     LASTED  CAUSE      FROM   TO    GROUP               TRACE
2026-11-22T12:00:00.000Z  562ms   peer_dead  alpha  beta  IPaddr::192.0.2.10  4fa158557a6baac3e206ed1b900945e6
2026-11-22T13:00:00.000Z  1m15s   start      -      beta  IPaddr::192.0.2.10  -

IPaddr::192.0.2.10 in all: failback 108ms, peer_dead 562ms
`
	if got := outagesPage(book); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got, want := outagesPage(ledger.Book{Node: "beta"}), "beta has ended no outage.\n"; got != want {
		t.Errorf("an empty ledger reads %q, want %q", got, want)
	}
}

func TestOutagesWithoutADaemon(t *testing.T) {
	dir, state := t.TempDir(), t.TempDir()
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(dir, "systole.yaml"), "state_dir: "+state+"\n")
	tests := []struct {
		name, ledger string
		json         bool
		code         int
		stdout       string // a part
		stderr       string
	}{
		{name: "before the first daemon there is no ledger", code: 1, stderr: "no daemon has run on this node yet"},
		{name: "a damaged ledger is said to be one", ledger: "{", code: 1, stderr: "the ledger cannot be read"},
		{name: "a ledger of lies is said to be one", ledger: `{"groups":{"web":{"seconds":{"failure":-1}}}}`, code: 1, stderr: "the ledger cannot be true"},
		{name: "an empty ledger is good news", ledger: `{"node":"beta"}`, stdout: "beta has ended no outage"},
		{name: "for programs it is the file", ledger: `{"node":"beta"}`, json: true, stdout: `{"node":"beta"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.ledger != "" {
				write(ledgerPath(state), tt.ledger)
			}
			var stdout, stderr strings.Builder
			if code := runOutages(dir, tt.json, &stdout, &stderr); code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			if !strings.Contains(stdout.String(), tt.stdout) || !strings.Contains(stderr.String(), tt.stderr) {
				t.Errorf("got %q and %q\nwant %q and %q", stdout.String(), stderr.String(), tt.stdout, tt.stderr)
			}
		})
	}
}
