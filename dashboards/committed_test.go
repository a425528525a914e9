package dashboards

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
)

// A grafanaBoard is what the tests look at in a committed file: they judge what
// is imported, not what the builder was told.
type grafanaBoard struct {
	ID            *int
	UID           string
	Title         string
	Description   string
	Tags          []string
	Editable      bool
	SchemaVersion int
	Inputs        any `json:"__inputs"`
	Requires      any `json:"__requires"`
	Panels        []grafanaPanel
	Templating    struct{ List []grafanaVariable }
	Annotations   struct{ List []grafanaAnnotation }
	Links         []struct {
		Type, Title string
		Tags        []string
		IncludeVars bool
		KeepTime    bool
	}

	file string
}

type grafanaVariable struct {
	Name, Type, Definition string
	Query                  any
	Multi, IncludeAll      bool
}

type grafanaAnnotation struct {
	Name, Expr      string
	BuiltIn         int
	Enable          bool
	Datasource      grafanaSource
	UseValueForTime bool
}

type grafanaSource struct{ Type, UID string }

type grafanaPanel struct {
	ID                       int
	Type, Title, Description string
	Collapsed                bool
	Panels                   []grafanaPanel
	Datasource               *grafanaSource
	GridPos                  struct{ X, Y, W, H int }
	Targets                  []grafanaTarget
	FieldConfig              struct {
		Defaults struct {
			Unit, NoValue string
			Thresholds    struct {
				Mode  string
				Steps []struct {
					Color string
					Value *float64
				}
			}
			Mappings []grafanaMapping
			Links    []struct{ Title, URL string }
			Max      *float64
			Custom   struct {
				DrawStyle         string
				ScaleDistribution struct{ Type string }
			}
		}
		Overrides []struct {
			Matcher    struct{ ID, Options string }
			Properties []struct{ Value grafanaProperty }
		}
	}
	Options struct {
		Legend   *struct{ ShowLegend, Show bool }
		TextMode string
		SortBy   []any
	}
	Transformations []struct {
		ID      string
		Options struct {
			RenameByName map[string]string
			IndexByName  map[string]int
		}
	}
}

// A grafanaProperty is the value of an override, of which only the colour is
// looked at: a fixed one, or that of the value 1.
type grafanaProperty struct{ FixedColor string }

func (p *grafanaProperty) UnmarshalJSON(data []byte) error {
	var mappings []grafanaMapping
	if json.Unmarshal(data, &mappings) == nil && len(mappings) == 1 {
		p.FixedColor = mappings[0].Options["1"].Color
		return nil
	}
	var color struct{ FixedColor string }
	_ = json.Unmarshal(data, &color) // numbers and words are of no interest
	p.FixedColor = color.FixedColor
	return nil
}

type grafanaMapping struct {
	Options map[string]struct{ Text, Color string }
}

type grafanaTarget struct {
	RefID, Expr, LegendFormat, Format, Interval string
	Datasource                                  grafanaSource
	Instant, Range, Exemplar                    bool
}

// committed reads the JSON files.
func committed(t *testing.T) []grafanaBoard {
	var all []grafanaBoard
	for _, b := range All() {
		data, err := os.ReadFile(b.File + ".json")
		if err != nil {
			t.Fatal(err)
		}
		board := grafanaBoard{file: b.File + ".json"}
		if err := json.Unmarshal(data, &board); err != nil {
			t.Fatal(err)
		}
		all = append(all, board)
	}
	return all
}

// flat is the board's panels and rows, those in closed rows too.
func (b grafanaBoard) flat() []grafanaPanel {
	var all []grafanaPanel
	for _, p := range b.Panels {
		all = append(append(all, p), p.Panels...)
	}
	return all
}

// shown is flat without the rows.
func (b grafanaBoard) shown() []grafanaPanel {
	return slices.DeleteFunc(b.flat(), func(p grafanaPanel) bool { return p.Type == "row" })
}
