package dashboards

// A View is a kind of panel that ships with Grafana, with its own options.
type View interface {
	// plugin is Grafana's id of the kind.
	plugin() string
	// options and custom are its part of the panel's JSON, as the panel itself
	// would save them; custom is nil where it has none.
	options(p Panel) map[string]any
	custom(p Panel) map[string]any
	// height is what is usual, in Grafana's lines.
	height() int
}

// A Stat shows one figure, or one word, for each series.
type Stat struct {
	Name bool // the series' names are the message: show them, not the figures
}

func (Stat) plugin() string              { return "stat" }
func (Stat) height() int                 { return 4 }
func (Stat) custom(Panel) map[string]any { return nil }

func (s Stat) options(p Panel) map[string]any {
	text := "auto"
	if s.Name {
		text = "name"
	}
	return map[string]any{
		"colorMode": "background", "graphMode": "none", "justifyMode": "auto", "orientation": "auto",
		"textMode": text, "reduceOptions": lastValue(),
	}
}

func lastValue() map[string]any {
	return map[string]any{"calcs": []string{"lastNotNull"}, "fields": "", "values": false}
}

// A BarGauge shows one bar for each series.
type BarGauge struct{}

func (BarGauge) plugin() string              { return "bargauge" }
func (BarGauge) height() int                 { return 6 }
func (BarGauge) custom(Panel) map[string]any { return nil }

func (BarGauge) options(Panel) map[string]any {
	return map[string]any{
		"displayMode": "basic", "orientation": "horizontal", "showUnfilled": true, "valueMode": "color",
		"minVizHeight": 10, "minVizWidth": 0, "reduceOptions": lastValue(),
	}
}

// A TimeSeries shows courses over time.
type TimeSeries struct {
	Bars    bool // of what happened in each interval, stacked
	Log     bool // each line of the scale is ten times the one below
	Limits  bool // draw the thresholds as lines
	NoTable bool // a legend without figures
}

func (TimeSeries) plugin() string { return "timeseries" }
func (TimeSeries) height() int    { return 8 }

func (t TimeSeries) options(Panel) map[string]any {
	legend := map[string]any{"displayMode": "table", "placement": "bottom", "showLegend": true, "calcs": []string{"lastNotNull", "max"}, "sortBy": "Max", "sortDesc": true}
	if t.NoTable {
		legend["displayMode"], legend["calcs"] = "list", []string{}
	}
	return map[string]any{"legend": legend, "tooltip": map[string]any{"mode": "multi", "sort": "desc"}}
}

func (t TimeSeries) custom(Panel) map[string]any {
	c := map[string]any{
		"drawStyle": "line", "lineInterpolation": "linear", "lineWidth": 1, "fillOpacity": 8, "gradientMode": "none",
		"showPoints": "auto", "pointSize": 4, "spanNulls": false, "barAlignment": 0,
		"axisPlacement": "auto", "axisLabel": "", "axisColorMode": "text", "axisCenteredZero": false, "axisSoftMin": 0,
		"scaleDistribution": map[string]any{"type": "linear"},
		"stacking":          map[string]any{"group": "A", "mode": "none"},
		"thresholdsStyle":   map[string]any{"mode": "off"},
		"hideFrom":          hideNowhere(),
	}
	if t.Bars {
		c["drawStyle"], c["fillOpacity"], c["showPoints"] = "bars", 80, "never"
		c["stacking"] = map[string]any{"group": "A", "mode": "normal"}
	}
	if t.Log {
		delete(c, "axisSoftMin")
		c["scaleDistribution"] = map[string]any{"type": "log", "log": 10}
	}
	if t.Limits {
		c["thresholdsStyle"] = map[string]any{"mode": "dashed"}
	}
	return c
}

func hideNowhere() map[string]any {
	return map[string]any{"legend": false, "tooltip": false, "viz": false}
}

// A Heatmap shows how often each bucket was hit over time.
type Heatmap struct{}

func (Heatmap) plugin() string { return "heatmap" }
func (Heatmap) height() int    { return 8 }

func (Heatmap) custom(Panel) map[string]any {
	return map[string]any{"scaleDistribution": map[string]any{"type": "linear"}, "hideFrom": hideNowhere()}
}

func (Heatmap) options(p Panel) map[string]any {
	return map[string]any{
		"calculate": false, "cellGap": 1, "showValue": "never",
		"color": map[string]any{
			"mode": "scheme", "scheme": "Turbo", "fill": "dark-orange", "scale": "exponential", "exponent": 0.5,
			"steps": 64, "reverse": false,
		},
		"cellValues":   map[string]any{"unit": string(Count)},
		"exemplars":    map[string]any{"color": "rgba(255,0,255,0.7)"},
		"filterValues": map[string]any{"le": 1e-9},
		"legend":       map[string]any{"show": true},
		"rowsFrame":    map[string]any{"layout": "auto"},
		"tooltip":      map[string]any{"mode": "single", "show": true, "yHistogram": true}, // mode: since 10.3, show: before
		"yAxis":        map[string]any{"axisPlacement": "left", "reverse": false, "unit": string(p.Unit)},
	}
}

// A StateTimeline shows for each series from when to when it was in a state.
type StateTimeline struct{}

func (StateTimeline) plugin() string { return "state-timeline" }
func (StateTimeline) height() int    { return 8 }

func (StateTimeline) custom(Panel) map[string]any {
	return map[string]any{"fillOpacity": 80, "lineWidth": 0, "hideFrom": hideNowhere()}
}

func (StateTimeline) options(Panel) map[string]any {
	return map[string]any{
		"alignValue": "left", "mergeValues": true, "rowHeight": 0.85, "showValue": "never",
		"legend": listLegend(), "tooltip": map[string]any{"mode": "single", "sort": "none"},
	}
}

// A StatusHistory shows each series' state at regular instants.
type StatusHistory struct{}

func (StatusHistory) plugin() string { return "status-history" }
func (StatusHistory) height() int    { return 8 }

func (StatusHistory) custom(Panel) map[string]any {
	return map[string]any{"fillOpacity": 80, "lineWidth": 1, "hideFrom": hideNowhere()}
}

func (StatusHistory) options(Panel) map[string]any {
	return map[string]any{
		"colWidth": 0.9, "rowHeight": 0.85, "showValue": "never",
		"legend": listLegend(), "tooltip": map[string]any{"mode": "single", "sort": "none"},
	}
}

func listLegend() map[string]any {
	return map[string]any{"displayMode": "list", "placement": "bottom", "showLegend": true, "calcs": []string{}}
}

// A Table shows one row for each series of its one query.
type Table struct {
	Columns []Column // from left to right; labels that are none of them are hidden
	Sort    string   // the heading to sort by, the greatest first; "" for none
}

// A Column is one label of the answer, or "Value".
type Column struct{ Label, Heading string }

func (Table) plugin() string { return "table" }
func (Table) height() int    { return 6 }

func (Table) custom(Panel) map[string]any {
	return map[string]any{"align": "auto", "cellOptions": map[string]any{"type": "auto"}, "inspect": false, "filterable": false}
}

func (t Table) options(Panel) map[string]any {
	sort := []any{}
	if t.Sort != "" {
		sort = append(sort, map[string]any{"desc": true, "displayName": t.Sort})
	}
	return map[string]any{
		"cellHeight": "sm", "showHeader": true, "sortBy": sort,
		"footer": map[string]any{"show": false, "countRows": false, "reducer": []string{"sum"}},
	}
}

// transformations leaves the columns that were asked for, in their order.
func (t Table) transformations() []any {
	names, order, headings := []string{}, map[string]any{}, map[string]any{}
	for i, c := range t.Columns {
		names = append(names, c.Label)
		order[c.Label] = i
		headings[c.Label] = c.Heading
	}
	return []any{
		map[string]any{"id": "filterFieldsByName", "options": map[string]any{"include": map[string]any{"names": names}}},
		map[string]any{"id": "organize", "options": map[string]any{"excludeByName": map[string]any{}, "indexByName": order, "renameByName": headings}},
	}
}
