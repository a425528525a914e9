package dashboards

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
)

const (
	boardWidth = 24 // Grafana's columns
	tag        = "systole"

	// schemaVersion is that of Grafana 10.0; later ones bring it up to date as
	// they load it.
	schemaVersion = 38
)

// JSON is the board as Grafana exports it: no id, no inputs to fill in, the
// data source a variable.
func (b Board) JSON() ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(b.model())
	return out.Bytes(), err
}

func (b Board) model() map[string]any {
	variables := []any{}
	for _, v := range b.Variables {
		variables = append(variables, v.json())
	}
	return map[string]any{
		"id": nil, "uid": b.UID, "title": b.Title, "description": b.Description, "tags": []string{tag},
		"schemaVersion": schemaVersion, "version": 1, "editable": false,
		"fiscalYearStartMonth": 0, "weekStart": "", "liveNow": false,
		"graphTooltip": 1, // one crosshair on all panels
		"refresh":      "10s", "timezone": "browser", "timepicker": map[string]any{},
		"time":        map[string]any{"from": b.From, "to": "now"},
		"templating":  map[string]any{"list": variables},
		"annotations": map[string]any{"list": b.annotations()},
		"links":       []any{b.toOtherBoards()},
		"panels":      b.panels(),
	}
}

// toOtherBoards leads to all boards of systole, with the time range. The
// overview's choice of clusters does not go along: the others show one cluster.
func (b Board) toOtherBoards() map[string]any {
	return map[string]any{
		"type": "dashboards", "tags": []string{tag}, "title": "systole", "icon": "external link", "tooltip": "", "url": "",
		"asDropdown": false, "includeVars": !b.has(anyCluster), "keepTime": true, "targetBlank": false,
	}
}

func (b Board) has(v Variable) bool {
	for _, w := range b.Variables {
		if v == w {
			return true
		}
	}
	return false
}

// annotations mark on every panel what happened when. A split brain that heals
// is over before the next scrape, and only its counter tells of it.
func (b Board) annotations() []any {
	cluster := hereClusters
	if !b.has(anyCluster) {
		cluster = `cluster="$cluster"`
	}
	mark := func(name string, color Color, expr, text string, valueIsTime bool) map[string]any {
		return map[string]any{
			"name": name, "enable": true, "hide": false, "iconColor": string(color), "datasource": prometheus(),
			"expr": fmt.Sprintf(expr, cluster), "step": "10s", "titleFormat": name, "textFormat": text,
			"tagKeys": "cluster,node,peer", "useValueForTime": valueIsTime,
		}
	}
	return []any{
		map[string]any{
			"builtIn": 1, "name": "Annotations & Alerts", "enable": true, "hide": true, "type": "dashboard",
			"iconColor": "rgba(0, 211, 255, 1)", "datasource": map[string]any{"type": "grafana", "uid": "-- Grafana --"},
		},
		mark("Takeover", Blue, `max by (cluster, node) (systole_takeover_last_timestamp_seconds{%s} > 0) * 1000`, "ended on {{node}} of {{cluster}}", true),
		mark("Peer dead", Red, `max by (cluster, node, peer) (systole_peer_state{%s, state="dead"}) == 1`, "{{node}} calls {{peer}} of {{cluster}} dead", false),
		mark("Split brain", Purple, `max by (cluster) (systole_split_brain_suspected{%[1]s}) == 1 or sum by (cluster) (increase(systole_split_brains_total{%[1]s}[1m])) > 0`, "two owners of one group in {{cluster}}", false),
	}
}

// panels lays the rows out from top to bottom. Panels are numbered in order.
func (b Board) panels() []any {
	all := []any{}
	id, y := 0, 0
	number := func() int { id++; return id }
	for _, r := range b.Rows {
		head := map[string]any{
			"id": number(), "type": "row", "title": r.Title, "collapsed": r.Closed, "panels": []any{}, "gridPos": place(0, y, boardWidth, 1),
		}
		y++
		inside := []any{}
		x, line := 0, 0
		for _, p := range r.Panels {
			if x+p.Width > boardWidth {
				x, y, line = 0, y+line, 0
			}
			inside = append(inside, p.json(number(), b.Here, place(x, y, p.Width, p.height())))
			x, line = x+p.Width, max(line, p.height())
		}
		y += line
		if r.Closed {
			head["panels"], inside = inside, nil
		}
		all = append(append(all, head), inside...)
	}
	return all
}

func place(x, y, w, h int) map[string]any { return map[string]any{"x": x, "y": y, "w": w, "h": h} }

func (p Panel) height() int {
	if p.Height > 0 {
		return p.Height
	}
	return p.View.height()
}

func (p Panel) json(id int, here string, at map[string]any) map[string]any {
	targets := []any{}
	for i, q := range p.Asks {
		targets = append(targets, q.at(here).json(i, p.minStep()))
	}
	m := map[string]any{
		"id": id, "type": p.View.plugin(), "title": p.Title, "description": p.describe(), "datasource": prometheus(), "gridPos": at,
		"fieldConfig": map[string]any{"defaults": p.defaults(), "overrides": p.overrides()},
		"options":     p.View.options(p), "targets": targets,
	}
	if t, ok := p.View.(Table); ok {
		m["transformations"] = t.transformations()
	}
	return m
}

// describe is the text behind the panel's i.
func (p Panel) describe() string {
	if p.Empty == "" {
		return p.Reads
	}
	return p.Reads + "\n\nWithout data: " + p.Empty + "."
}

func (q Query) json(i int, minStep string) map[string]any {
	return map[string]any{
		"interval": minStep,
		"refId":    string(rune('A' + i)), "datasource": prometheus(), "expr": q.Expr, "legendFormat": q.Legend, "editorMode": "code",
		"format": string(q.Format), "instant": q.Instant, "range": !q.Instant, "exemplar": q.Exemplar, "hide": false,
	}
}

func (p Panel) defaults() map[string]any {
	d := map[string]any{
		"unit": string(p.Unit), "thresholds": map[string]any{"mode": "absolute", "steps": p.steps()}, "mappings": p.mappings(""), "links": p.links(),
		"color": map[string]any{"mode": "thresholds"},
	}
	if _, ok := p.View.(TimeSeries); ok {
		d["color"] = map[string]any{"mode": "palette-classic"}
	}
	if c := p.View.custom(p); c != nil {
		d["custom"] = c
	}
	if p.Empty != "" {
		d["noValue"] = p.Empty
	}
	if p.Min != nil {
		d["min"] = *p.Min
	}
	if p.Max != nil {
		d["max"] = *p.Max
	}
	return d
}

func (p Panel) steps() []any {
	list := p.Steps
	if len(list) == 0 {
		list = steps(Green)
	}
	out := []any{map[string]any{"color": string(list[0].Color), "value": nil}}
	for _, s := range list[1:] {
		out = append(out, map[string]any{"color": string(s.Color), "value": s.At})
	}
	return out
}

// mappings are the names of values, in their own colours or all in one.
func (p Panel) mappings(all Color) []any {
	if len(p.Values) == 0 {
		return []any{}
	}
	options := map[string]any{}
	for i, v := range p.Values {
		color := cmp.Or(all, v.Color)
		options[fmt.Sprint(v.Is)] = map[string]any{"text": v.Text, "color": string(color), "index": i}
	}
	return []any{map[string]any{"type": "value", "options": options}}
}

// links lead from a series to the board that tells more of its cluster.
func (p Panel) links() []any {
	if p.Details == "" {
		return []any{}
	}
	return []any{map[string]any{
		"title": "More of ${__field.labels.cluster}", "targetBlank": false,
		"url": "/d/" + p.Details + "?var-cluster=${__field.labels.cluster}&${__url_time_range}",
	}}
}

func (p Panel) overrides() []any {
	out := []any{}
	for _, m := range p.Marks {
		properties := []any{map[string]any{"id": "color", "value": map[string]any{"mode": "fixed", "fixedColor": string(m.Color)}}}
		if len(p.Values) > 0 { // a value's own colour goes before the series'
			properties = []any{map[string]any{"id": "mappings", "value": p.mappings(m.Color)}}
		}
		if m.Dashed {
			properties = append(properties,
				map[string]any{"id": "custom.lineStyle", "value": map[string]any{"fill": "dash", "dash": []int{8, 6}}},
				map[string]any{"id": "custom.fillOpacity", "value": 0},
				map[string]any{"id": "custom.showPoints", "value": "never"})
		}
		out = append(out, map[string]any{"matcher": map[string]any{"id": "byRegexp", "options": "/" + m.Series + "/"}, "properties": properties})
	}
	return out
}

// minStep keeps bars a minute apart. They count over the window of a rate,
// which is at least four scrapes: closer together, each event would stand in
// several of them.
func (p Panel) minStep() string {
	if t, ok := p.View.(TimeSeries); ok && t.Bars {
		return "1m"
	}
	return ""
}
