package lab

import (
	"net/netip"
	"slices"
	"testing"
	"time"
)

var (
	vip   = netip.MustParseAddr("192.0.2.50")
	epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
)

func at(seconds float64) time.Time { return epoch.Add(time.Duration(seconds * float64(time.Second))) }

func span(from, to float64) Span { return Span{at(from), at(to)} }

// change is a change of the address vip on device 2.
func change(seconds float64, node string, kind ChangeKind) Change {
	return Change{At: at(seconds), Node: node, Kind: kind, Prefix: netip.PrefixFrom(vip, 24), Device: 2}
}

func TestHistory(t *testing.T) {
	other := change(2, "beta", Added)
	other.Prefix = netip.MustParsePrefix("192.0.2.51/24")
	second := change(3, "alpha", Added)
	second.Device = 3
	tests := []struct {
		name      string
		changes   []Change
		holdings  []Holding
		overlaps  []Span
		vacancies []Span
		holders   []string
	}{
		{
			name:    "an address nobody ever held is not vacant",
			changes: []Change{other},
		},
		{
			name:     "one holder until the end",
			changes:  []Change{change(1, "alpha", Added)},
			holdings: []Holding{{"alpha", span(1, 10), true}},
			holders:  []string{"alpha"},
		},
		{
			name:     "an address renewed is held once",
			changes:  []Change{change(1, "alpha", Added), change(2, "alpha", Added)},
			holdings: []Holding{{"alpha", span(1, 10), true}},
			holders:  []string{"alpha"},
		},
		{
			name:      "a gap in a hand-over is a vacancy",
			changes:   []Change{change(1, "alpha", Added), change(3, "alpha", Removed), change(4, "beta", Added)},
			holdings:  []Holding{{"alpha", span(1, 3), false}, {"beta", span(4, 10), true}},
			vacancies: []Span{span(3, 4)},
			holders:   []string{"beta"},
		},
		{
			name:      "two at once are an overlap, and a vacancy may last to the end",
			changes:   []Change{change(1, "alpha", Added), change(3, "beta", Added), change(5, "alpha", Removed), change(6, "beta", Removed)},
			holdings:  []Holding{{"alpha", span(1, 5), false}, {"beta", span(3, 6), false}},
			overlaps:  []Span{span(3, 5)},
			vacancies: []Span{span(6, 10)},
		},
		{
			name:     "an address on two devices is held until it is on none",
			changes:  []Change{change(1, "alpha", Added), second, change(4, "alpha", Removed)},
			holdings: []Holding{{"alpha", span(1, 10), true}},
			holders:  []string{"alpha"},
		},
		{
			name:      "a node without power holds nothing, whatever is read from it afterwards",
			changes:   []Change{change(1, "alpha", Added), change(3, "alpha", Off), change(3.1, "alpha", Added), change(4, "beta", Added)},
			holdings:  []Holding{{"alpha", span(1, 3), false}, {"beta", span(4, 10), true}},
			vacancies: []Span{span(3, 4)},
			holders:   []string{"beta"},
		},
		{
			name:      "a node that boots again may hold again",
			changes:   []Change{change(1, "alpha", Added), change(3, "alpha", Off), change(5, "alpha", On), change(6, "alpha", Added)},
			holdings:  []Holding{{"alpha", span(1, 3), false}, {"alpha", span(6, 10), true}},
			vacancies: []Span{span(3, 6)},
			holders:   []string{"alpha"},
		},
		{
			name:    "deleting what another node holds changes nothing",
			changes: []Change{change(1, "alpha", Added), change(2, "beta", Removed)},

			holdings: []Holding{{"alpha", span(1, 10), true}},
			holders:  []string{"alpha"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := History{Start: at(0), End: at(10), Changes: tt.changes}
			if got := h.Holdings(vip); !slices.Equal(got, tt.holdings) {
				t.Errorf("Holdings:\n got %v\nwant %v", got, tt.holdings)
			}
			if got := h.Overlaps(vip); !slices.Equal(got, tt.overlaps) {
				t.Errorf("Overlaps:\n got %v\nwant %v", got, tt.overlaps)
			}
			if got := h.Vacancies(vip); !slices.Equal(got, tt.vacancies) {
				t.Errorf("Vacancies:\n got %v\nwant %v", got, tt.vacancies)
			}
			if got := h.Holders(vip); !slices.Equal(got, tt.holders) {
				t.Errorf("Holders:\n got %v\nwant %v", got, tt.holders)
			}
		})
	}
}

func TestHistoryString(t *testing.T) {
	h := History{Start: at(0), Changes: []Change{
		change(1.25, "alpha", Added),
		{At: at(2), Node: "alpha", Kind: Off},
	}}
	want := "   +1.2500s alpha +192.0.2.50/24\n   +2.0000s alpha off\n"
	if got := h.String(); got != want {
		t.Errorf("String:\n got %q\nwant %q", got, want)
	}
}
