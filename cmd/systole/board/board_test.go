package board

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/control"
)

var now = time.Date(2026, 11, 21, 20, 38, 13, 0, time.UTC)

func seconds(s float64) control.Seconds { return control.Seconds(s * float64(time.Second)) }

func TestFit(t *testing.T) {
	for _, tt := range []struct {
		name   string
		used   []float64
		places int
		want   []float64
	}{
		{name: "each place is the worst of what it stands for", used: append(slices.Repeat([]float64{.1}, 59), .9), places: 3, want: []float64{.1, .1, .9}},
		{name: "a course that has just begun stands at the end", used: []float64{.3, .4}, places: 30, want: append(slices.Repeat([]float64{-1}, 29), .4)},
		{name: "where nothing is known there is nothing", used: slices.Repeat([]float64{-1}, 60), places: 2, want: []float64{-1, -1}},
		{name: "a gap beside something is no gap", used: append(slices.Repeat([]float64{-1}, 58), .2, -1), places: 30, want: append(slices.Repeat([]float64{-1}, 29), .2)},
		{name: "no course", places: 2, want: []float64{-1, -1}},
		{name: "more steps than usual still end at the end", used: append(slices.Repeat([]float64{.1}, 119), .7), places: 4, want: []float64{.1, .1, .1, .7}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := (Course{Step: 5 * time.Second, Used: tt.used}).Fit(tt.places); !slices.Equal(got, tt.want) {
				t.Errorf("Fit(%d):\n got %v\nwant %v", tt.places, got, tt.want)
			}
		})
	}
}

func TestLevels(t *testing.T) {
	for used, want := range map[float64]Level{-1: Fine, 0: Fine, .499: Fine, .5: Half, .749: Half, .75: Near, .899: Near, .9: Close, 1: Close} {
		if got := LevelOf(used); got != want {
			t.Errorf("LevelOf(%v) is %v, want %v", used, got, want)
		}
	}
}

func TestLoss(t *testing.T) {
	for _, tt := range []struct {
		received, lost uint64
		want           string
	}{{0, 0, ""}, {100, 0, "0%"}, {9999, 1, "<0.1%"}, {999, 1, "0.1%"}, {97, 3, "3.0%"}, {1, 1, "50%"}, {0, 5, "100%"}} {
		if got := loss(&control.Recent{Received: tt.received, Lost: tt.lost}); got != tt.want {
			t.Errorf("%d received and %d lost are %q, want %q", tt.received, tt.lost, got, tt.want)
		}
	}
	if got := loss(nil); got != "" {
		t.Errorf("of a link that carried nothing: %q", got)
	}
}

func TestPhasesFollowEachOther(t *testing.T) {
	got := phases([]control.Phase{{Phase: "silence", Took: seconds(6)}, {Phase: "fence"}, {Phase: "address", Took: seconds(1.5)}, {Phase: "verify", Took: seconds(.5)}})
	want := []Phase{
		{Name: "silence", Took: 6 * time.Second, From: 0, To: .75},
		{Name: "address", Took: 1500 * time.Millisecond, From: .75, To: .9375},
		{Name: "verify", Took: 500 * time.Millisecond, From: .9375, To: 1},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("phases:\n got %+v\nwant %+v", got, want)
	}
	if got := phases([]control.Phase{{Phase: "silence"}}); got != nil {
		t.Errorf("phases without time: %+v", got)
	}
}

func TestNewestComesFirst(t *testing.T) {
	b := New(control.Status{Time: now, Takeovers: []control.Takeover{{ID: 1}, {ID: 2}}},
		[]control.Event{{Text: "a", Severity: "notice"}, {Text: "b", Severity: "critical"}})
	if b.Takeovers[0].ID != 2 || b.Events[0].Text != "b" || b.Events[0].Level != Close || b.Events[1].Level != Fine {
		t.Errorf("takeovers %+v, events %+v", b.Takeovers, b.Events)
	}
}

func TestGroups(t *testing.T) {
	for _, tt := range []struct {
		name   string
		group  control.Group
		heldBy string
		bad    bool
	}{
		{name: "one holder is as it should be", group: control.Group{Holders: []string{"beta"}, State: "stopped"}, heldBy: "beta"},
		{name: "two are not", group: control.Group{Holders: []string{"alpha", "beta"}}, heldBy: "alpha and beta", bad: true},
		{name: "nor is none", group: control.Group{}, heldBy: "nobody", bad: true},
		{name: "nor one that failed here", group: control.Group{Holders: []string{"beta"}, State: "failed"}, heldBy: "beta", bad: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := group(control.Status{Time: now}, tt.group); got.HeldBy != tt.heldBy || got.Bad != tt.bad {
				t.Errorf("held by %s, bad %v; want %s, %v", got.HeldBy, got.Bad, tt.heldBy, tt.bad)
			}
		})
	}
}

// TestNothingHostileComesOut puts what a terminal or a reader would fall for
// into every text of a status, and looks for it in every text of the picture.
func TestNothingHostileComesOut(t *testing.T) {
	const evil = "x\x1b]0;owned\a\u202e\u200b\r\n\x9b31m\xff"
	st := control.Status{Time: now, Takeovers: []control.Takeover{{Phases: []control.Phase{{Took: 1}}, Failures: []control.Failure{{}}}},
		Nodes: []control.Member{{Type: "normal", Wire: "systole", Links: []control.MemberLink{{}}}, {Self: true}}, SplitBrain: &control.SplitBrain{Groups: []string{""}},
		Links: []control.Link{{}}, Groups: []control.Group{{Holders: []string{""}, Resources: []control.Resource{{}}}}}
	st.Takeovers[0].Groups = []string{""}
	spoil(reflect.ValueOf(&st).Elem(), evil)
	b := New(st, []control.Event{{Severity: evil, Text: evil}})
	seen := 0
	look(reflect.ValueOf(b), func(s string) {
		if strings.Contains(s, "owned") {
			seen++
		}
		if strings.ContainsAny(s, "\x1b\a\r\n\u202e\u200b\u009b") {
			t.Errorf("%q", s)
		}
	})
	if seen < 20 {
		t.Errorf("the name was seen in %d texts only: the test looks at less than there is", seen)
	}
	if got := Clean(strings.Repeat("é", 600)); got != strings.Repeat("é", textMost)+"..." {
		t.Errorf("a long text has %d characters", len([]rune(got)))
	}
}

// spoil sets every text below v that is not one of the words the picture knows.
func spoil(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.String:
		if s := v.String(); s != "normal" && s != "systole" {
			v.SetString(text)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			spoil(v.Elem(), text)
		}
	case reflect.Slice:
		for i := range v.Len() {
			spoil(v.Index(i), text)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				spoil(v.Field(i), text)
			}
		}
	}
}

func look(v reflect.Value, at func(string)) {
	switch v.Kind() {
	case reflect.String:
		at(v.String())
	case reflect.Pointer:
		if !v.IsNil() {
			look(v.Elem(), at)
		}
	case reflect.Slice:
		for i := range v.Len() {
			look(v.Index(i), at)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				look(v.Field(i), at)
			}
		}
	}
}

func TestLeases(t *testing.T) {
	for _, tt := range []struct {
		name  string
		lease *control.Lease
		line  string
		told  string // in front; "" for nothing
	}{
		{"addresses held for good", nil, "keepalive 100ms, warntime 250ms, deadtime 500ms", ""},
		{"a gate", &control.Lease{Length: seconds(.28)}, "keepalive 100ms, warntime 250ms, deadtime 500ms, lease 280ms", ""},
		{
			"none, though one is wanted", &control.Lease{Length: seconds(1), Weaker: true}, "keepalive 100ms, warntime 250ms, deadtime 500ms, lease 1s",
			"the gate of nftables cannot be had: this node may answer beside its peer for up to 1s if it stands still",
		},
		{
			"one that the kernel refuses to renew", &control.Lease{Length: seconds(.28), Unrenewed: true}, "keepalive 100ms, warntime 250ms, deadtime 500ms, lease 280ms",
			"leases are not renewed: addresses will be lost",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			st := control.Status{Keepalive: seconds(.1), Warntime: seconds(.25), Deadtime: seconds(.5), Lease: tt.lease}
			if got := Timing(st); got != tt.line {
				t.Errorf("the line is\n got %q\nwant %q", got, tt.line)
			}
			var want []Notice
			if tt.told != "" {
				want = []Notice{{true, tt.told}}
			}
			if got := Attention(st); !slices.Equal(got, want) {
				t.Errorf("in front\n got %v\nwant %v", got, want)
			}
		})
	}
}
