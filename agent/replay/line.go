package replay

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/systole-ha/systole/agent/wire"
)

// A Line is one thing that a node says, reduced to what decides: its kind with
// the fields that the other node acts on. Two lines are the same if their kinds
// are; a detail is what else may be worth a look.
type Line struct {
	At     time.Time
	Kind   string
	Detail string
}

func (l *Line) String() string {
	if l.Detail == "" {
		return l.Kind
	}
	return l.Kind + ", " + l.Detail
}

// A Teller reduces the messages of one node to lines. Heartbeats that say the
// same as the one before, and acknowledgements, are none; requests for lost
// messages in a row are one, and so are messages that are sent again.
type Teller struct {
	Lines []Line

	generation uint64
	newest     uint64
	seen       map[uint64]bool
	status     Line
	numbers    []uint64 // of the last line, where it is about numbers
}

// Newest is the highest number of the present generation.
func (t *Teller) Newest() uint64 { return t.newest }

// Tell takes in the next message.
func (t *Teller) Tell(at time.Time, m *wire.Message) {
	if generation, _ := m.Hex("hg"); generation != t.generation {
		t.generation, t.newest, t.seen, t.status = generation, 0, map[uint64]bool{}, Line{}
	}
	kind := string(m.Get("t"))
	number, _ := m.Hex("seq")
	again := number != 0 && (t.seen[number] || kind == "status" && number < t.newest)
	if number != 0 {
		t.seen[number] = true
		t.newest = max(t.newest, number)
	}
	switch {
	case kind == "NS_ackmsg":
	case again:
		t.number(at, "sent again", number, func(n []uint64) string { return fmt.Sprint(len(n)) })
	case kind == "NS_rexmit":
		first, _ := m.Decimal("firstseq")
		last, _ := m.Decimal("lastseq")
		for n := first; n <= last && n-first < 1000; n++ {
			t.number(at, kind, n, ranges)
		}
	case kind == "status":
		t.heartbeat(at, m)
	default:
		t.add(line(at, m))
	}
}

func (t *Teller) add(l Line) {
	t.Lines, t.numbers = append(t.Lines, l), nil
}

// heartbeat is a line when it says something new.
func (t *Teller) heartbeat(at time.Time, m *wire.Message) {
	milliseconds, _ := m.Hex("dt")
	l := Line{At: at, Kind: "status " + string(m.Get("st")), Detail: fmt.Sprintf("deadtime %v", time.Duration(milliseconds)*time.Millisecond)}
	before := t.status
	t.status = l
	switch {
	case l.Kind != before.Kind:
		t.add(l)
	case l.Detail != before.Detail:
		t.add(Line{At: at, Kind: l.Detail})
	}
}

// number makes a line about a number, or adds the number to the last line.
func (t *Teller) number(at time.Time, kind string, n uint64, text func([]uint64) string) {
	if last := len(t.Lines) - 1; last < 0 || len(t.numbers) == 0 || !strings.HasPrefix(t.Lines[last].Kind, kind+" ") {
		t.add(Line{At: at})
	}
	if !slices.Contains(t.numbers, n) {
		t.numbers = append(t.numbers, n)
	}
	slices.Sort(t.numbers)
	t.Lines[len(t.Lines)-1].Kind = kind + " " + text(t.numbers)
}

// ranges writes sorted numbers as 31-34,36.
func ranges(numbers []uint64) string {
	var words []string
	for i := 0; i < len(numbers); {
		j := i
		for j+1 < len(numbers) && numbers[j+1] == numbers[j]+1 {
			j++
		}
		word := fmt.Sprint(numbers[i])
		if j > i {
			word += fmt.Sprintf("-%d", numbers[j])
		}
		words = append(words, word)
		i = j + 1
	}
	return strings.Join(words, ",")
}

// line reduces one message.
func line(at time.Time, m *wire.Message) Line {
	kind := string(m.Get("t"))
	l := Line{At: at, Kind: kind}
	fields := []string{"rsc_hold", "isstable", "info", "st", "result", "num_ping"}
	switch kind {
	case "resource": // its info decides only where something is given up
		l.Detail = string(m.Get("info"))
		fields = []string{"rsc_hold", "isstable"}
		if l.Detail == "shutdown" || l.Detail == "standby" {
			fields, l.Detail = append(fields, "info"), ""
		}
	case "repnodes":
		names := strings.Fields(string(m.Get("nodelist")))
		slices.Sort(names)
		l.Kind += " " + strings.Join(names, " ")
	case "ip-request-resp":
		fields = []string{"dest"}
	}
	for _, field := range fields {
		if m.Has(field) {
			l.Kind += " " + string(m.Get(field))
		}
	}
	return l
}
