// Package dashboards describes systole's Grafana dashboards and renders them as
// the JSON files of this folder, which a test keeps fresh. It is for Grafana 10
// and later, and uses only panels that ship with it.
package dashboards

// All returns the five boards in the order in which an operator needs them.
func All() []Board {
	return []Board{overview(), links(), takeovers(), resources(), daemon()}
}

// A Board is one dashboard.
type Board struct {
	File        string // without .json
	UID         string // never changes: alerts and bookmarks link to it
	Title       string // the question it answers is in Description
	Description string
	From        string // of the time range at first sight: "now-1h"
	Variables   []Variable
	Here        string // the matchers that $here stands for in its queries
	Rows        []Row
}

// A Row is a titled part of a board. Its panels stand from left to right and
// wrap at the board's width.
type Row struct {
	Title  string
	Closed bool // its panels show, and ask Prometheus, once it is opened
	Panels []Panel
}

// A Panel shows the answers to some queries.
type Panel struct {
	Title   string
	Reads   string // how to read it, and what to do about what is seen
	Empty   string // shown in place of no data: why a healthy cluster has none; "" where it always has some
	Width   int    // of boardWidth columns
	Height  int    // in Grafana's lines; 0: what its kind usually takes
	Unit    Unit
	Steps   []Step // thresholds from low to high; none: green
	Min     *float64
	Max     *float64
	Values  []Value // what single values are called
	Marks   []Mark  // how single series look
	Details string  // UID of the board that a click on a series leads to, with its cluster
	Asks    []Query
	View    View // how it looks
}

// A Unit is one of Grafana's, by its id.
type Unit string

const (
	Seconds   Unit = "s"
	Ratio     Unit = "percentunit" // 1 is 100 %
	Count     Unit = "short"
	PerSecond Unit = "cps"
	Bytes     Unit = "bytes" // 1024 B are a KiB
	Ago       Unit = "dateTimeFromNow"
	None      Unit = "none" // states
)

// A Color is one of Grafana's named ones, which suit both its themes.
type Color string

const (
	Green  Color = "green"
	Blue   Color = "blue"
	Yellow Color = "yellow"
	Orange Color = "orange"
	Red    Color = "red"
	Purple Color = "purple"
	Grey   Color = "#7b8087"
)

// A Step is a threshold: from At upwards the colour is Color. The first one
// counts from minus infinity, whatever its At.
type Step struct {
	At    float64
	Color Color
}

// steps are thresholds: the colour below all of them, then each.
func steps(first Color, more ...Step) []Step { return append([]Step{{Color: first}}, more...) }

// A Value is what one value is called: 1 is "up".
type Value struct {
	Is    int
	Text  string
	Color Color
}

// A Mark changes how the series look whose names match a regular expression.
type Mark struct {
	Series string
	Color  Color
	Dashed bool
}

func ptr(f float64) *float64 { return &f }
