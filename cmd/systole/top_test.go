package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/control"
	"github.com/systole-ha/systole/cmd/systole/board"
)

// lively is a status with five minutes behind it: a peer that was nearly
// declared dead twice.
func lively(st control.Status) control.Status {
	course := func(scale float64, lost uint64) *control.Recent {
		r := &control.Recent{Step: seconds(5), Received: 300 - lost, Lost: lost}
		for i := range 60 {
			used := control.Used(.04 + .01*float64(i%7))
			switch {
			case i < 4 && scale < 1: // a link that was not there yet
				used = -1
			case i == 20 || i == 21:
				used = .62
			case i == 40:
				used = .8
			case i > 56 && st.Nodes[1].State == "dead":
				used = 1
			}
			if used > 0 {
				used = min(1, control.Used(scale)*used)
			}
			r.Used = append(r.Used, used)
		}
		return r
	}
	beta := &st.Nodes[1]
	beta.Recent = course(1, 0)
	beta.Links[0].Recent, beta.Links[1].Recent = course(1, 0), course(.97, 7)
	return st
}

// happened are the events that go with it.
func happened() []control.Event {
	return []control.Event{
		{Sequence: 1, Time: ago(7200), Severity: "notice", Text: "hold.changed from=none to=local"},
		{Sequence: 40, Time: ago(80), Severity: "warning", Text: "heartbeat.late peer=beta link=eth0 silence=8s warntime=5s deadtime=10s"},
		{Sequence: 52, Time: ago(63.2), Severity: "critical", Text: "peer.dead peer=beta silence=10.002s deadtime=10s sequence=7214"},
		{Sequence: 53, Time: ago(63.2), Severity: "notice", Text: "takeover.started id=5 trigger=peer_dead peer=beta groups=192.0.2.20"},
		{Sequence: 61, Time: ago(63.1), Severity: "notice", Text: "takeover.completed id=5 trigger=peer_dead peer=beta groups=192.0.2.20 result=success took=101ms outage=10.101s"},
	}
}

func TestTopPage(t *testing.T) {
	gone := board.New(lively(death()), happened())
	gone.Problem = "systole is not running (no /run/systole/control.sock)"
	dead := board.New(lively(death()), happened())
	for _, tt := range []struct {
		file string
		view topView
	}{
		{file: "top_quiet_80x24.txt", view: topView{board: board.New(lively(quiet()), happened()[:2]), width: 80, height: 24}},
		{file: "top_death_80x24.txt", view: topView{board: dead, width: 80, height: 24}},
		{file: "top_death_120x40.txt", view: topView{board: dead, width: 120, height: 40}},
		{file: "top_death_chosen_120x40.txt", view: topView{board: dead, width: 120, height: 40, chosen: 4}},
		{file: "top_trouble_80x24.txt", view: topView{board: board.New(lively(trouble()), nil), width: 80, height: 24}},
		{file: "top_trouble_120x40.txt", view: topView{board: board.New(lively(trouble()), happened()), width: 120, height: 40}},
		{file: "top_gone_80x24.txt", view: topView{board: gone, width: 80, height: 24}},
		{file: "top_nobody_80x24.txt", view: topView{board: board.Board{Problem: gone.Problem}, width: 80, height: 24}},
		{file: "top_help_80x24.txt", view: topView{board: dead, width: 80, height: 24, help: true}},
		{file: "top_small_40x10.txt", view: topView{board: dead, width: 40, height: 10}},
		{file: "top_tiny_39x9.txt", view: topView{board: dead, width: 39, height: 9}},
	} {
		for _, charset := range []struct {
			suffix string
			glyphs glyphs
		}{{"", unicodeGlyphs}, {".ascii", asciiGlyphs}} {
			t.Run(tt.file+charset.suffix, func(t *testing.T) {
				tt.view.glyphs = charset.glyphs
				rows := tt.view.draw()
				got := printRows(rows, false)
				golden(t, tt.file+charset.suffix, got)
				if len(rows) > tt.view.height {
					t.Errorf("%d rows on a screen of %d", len(rows), tt.view.height)
				}
				for line := range strings.Lines(got) {
					if n := len([]rune(line)) - 1; n > tt.view.width {
						t.Errorf("a line of %d characters: %s", n, line)
					}
					if strings.ContainsFunc(line, func(r rune) bool { return charset.suffix != "" && r > 0x7e }) {
						t.Errorf("not ASCII: %s", line)
					}
				}
			})
		}
	}
}

// golden compares a text with the file of testdata.
func golden(t *testing.T, file, got string) {
	t.Helper()
	path := filepath.Join("testdata", file)
	if *updateStatus {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s:\n got\n%s\nwant\n%s", file, got, want)
	}
}

func TestTopIsDrawnOnAnyTerminal(t *testing.T) {
	b := board.New(lively(trouble()), happened())
	for width := range 200 {
		for _, height := range []int{1, 2, 9, 10, 11, 15, 24, 60} {
			rows := topView{board: b, width: width, height: height, glyphs: asciiGlyphs}.draw()
			if len(rows) > height {
				t.Fatalf("%d x %d: %d rows", width, height, len(rows))
			}
			for _, r := range rows {
				if r.width() > width {
					t.Fatalf("%d x %d: a row of %d: %v", width, height, r.width(), r)
				}
			}
		}
	}
}

func TestColoursOfMargins(t *testing.T) {
	used := []float64{.1, .499, .5, .749, .75, .899, .9, 1, -1}
	got := unicodeGlyphs.sparkline(board.Course{Step: time.Second, Used: append(used, make([]float64, 60-len(used))...)}, 60)[:len(used)]
	want := row{
		{"▁", styleFine}, {"▄", styleFine}, {"▅", styleHalf}, {"▆", styleHalf}, {"▇", styleNear}, {"█", styleNear},
		{"█", styleClose}, {"█", styleClose}, {"·", styleFaint},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("sparkline:\n got %v\nwant %v", got, want)
	}
	if page := printRows([]row{got}, true); !strings.Contains(page, "\x1b[33m▅\x1b[0m") || !strings.Contains(page, "\x1b[1;31m█\x1b[0m") {
		t.Errorf("with colours: %q", page)
	}
	if page := printRows([]row{got}, false); page != "▁▄▅▆▇███·\n" {
		t.Errorf("without colours: %q", page)
	}
}

func TestGlyphsOfLocales(t *testing.T) {
	for _, tt := range []struct {
		name string
		env  map[string]string
		want glyphs
	}{
		{name: "UTF-8", env: map[string]string{"LANG": "de_DE.UTF-8"}, want: unicodeGlyphs},
		{name: "as some spell it", env: map[string]string{"LC_CTYPE": "C.utf8"}, want: unicodeGlyphs},
		{name: "LC_ALL rules", env: map[string]string{"LC_ALL": "C", "LANG": "de_DE.UTF-8"}, want: asciiGlyphs},
		{name: "an empty variable does not", env: map[string]string{"LC_ALL": "", "LANG": "de_DE.UTF-8"}, want: unicodeGlyphs},
		{name: "Latin 1 has no bars", env: map[string]string{"LANG": "de_DE.ISO-8859-1"}, want: asciiGlyphs},
		{name: "nothing set is the C locale", want: asciiGlyphs},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := glyphsOf(func(name string) string { return tt.env[name] }); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("bars %v, want %v", got.spark, tt.want.spark)
			}
		})
	}
}

func TestKeys(t *testing.T) {
	for _, tt := range []struct {
		name, sent string
		want       []key
		rest       string
	}{
		{name: "letters", sent: "q?kj", want: []key{keyQuit, keyHelp, keyUp, keyDown}},
		{name: "arrows", sent: "\x1b[A\x1b[B", want: []key{keyUp, keyDown}},
		{name: "arrows in application mode", sent: "\x1bOA\x1bOB", want: []key{keyUp, keyDown}},
		{name: "tab and back", sent: "\t\x1b[Z", want: []key{keyDown, keyUp}},
		{name: "half a sequence waits for the rest", sent: "j\x1b[", want: []key{keyDown}, rest: "\x1b["},
		{name: "the escape key alone could be one", sent: "\x1b", rest: "\x1b"},
		{name: "and is none with something else behind it", sent: "\x1bq", want: []key{keyOther, keyQuit}},
		{name: "other keys are swallowed whole", sent: "\x1b[15~q\x1b[1;5A", want: []key{keyOther, keyQuit, keyOther}},
		{name: "letters without a meaning", sent: "xü", want: []key{keyOther, keyOther, keyOther}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, rest := keysIn([]byte(tt.sent))
			if !reflect.DeepEqual(got, tt.want) || string(rest) != tt.rest {
				t.Errorf("keys %v, rest %q; want %v, %q", got, rest, tt.want, tt.rest)
			}
		})
	}
}

func TestChoosingATakeover(t *testing.T) {
	v := topView{board: board.New(death(), nil)} // 5, 4, 2, 1
	for i, tt := range []struct {
		key  key
		want uint64
	}{
		{keyUp, 0}, {keyDown, 4}, {keyDown, 2}, {keyDown, 1}, {keyDown, 1}, {keyUp, 2}, {keyUp, 4}, {keyUp, 0}, {keyOther, 0},
	} {
		if v = v.press(tt.key); v.chosen != tt.want {
			t.Errorf("after key %d: %d is chosen, want %d", i, v.chosen, tt.want)
		}
	}
	v.chosen = 99 // it has fallen out of the list
	if at := v.chosenPlace(); at != 0 {
		t.Errorf("place %d is shown, want the newest", at)
	}
	if (topView{}).press(keyDown).chosen != 0 {
		t.Error("something is chosen of nothing")
	}
}
