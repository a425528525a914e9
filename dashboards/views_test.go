package dashboards

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// stat draws a tile for each series, in as many columns as look well.
func (d drawing) stat(lines []line) {
	columns := min(len(lines), max(1, int(d.w/110)))
	perColumn := (len(lines) + columns - 1) / columns
	w, h := d.w/float64(columns), d.h/float64(perColumn)
	for i, l := range lines {
		x, y := d.x+float64(i%columns)*w, d.y+float64(i/columns)*h
		text, color := d.judge(l.last())
		title := l.name
		if strings.Contains(l.name, ": ") && d.p.Options.TextMode == "name" {
			text, title = l.name, ""
			if c := d.marked(l.name); c != "" {
				color = c
			}
		}
		d.rect(x, y, w-3, h-3, color, "")
		d.middle(x+w/2, y+h/2+8, 16, "#111217", text)
		if title != "" {
			d.middle(x+w/2, y+14, 10, "#111217", title)
		}
	}
}

func (d drawing) barGauge(lines []line) {
	most := 0.0
	for _, l := range lines {
		most = max(most, l.last())
	}
	if limit := d.p.FieldConfig.Defaults.Max; limit != nil {
		most = *limit
	}
	h := min(34, d.h/float64(len(lines)))
	for i, l := range lines {
		y := d.y + float64(i)*h
		text, color := d.judge(l.last())
		d.text(d.x, y+11, 10, theme.text, l.name)
		d.rect(d.x, y+h/2, d.w-70, h/2-4, "#22252b", "")
		if most > 0 {
			d.rect(d.x, y+h/2, (d.w-70)*min(1, l.last()/most), h/2-4, color, "")
		}
		d.textEnd(d.x+d.w, y+h/2+10, 12, color, text)
	}
}

func (d drawing) table(lines []line) {
	var columns []Column
	for _, transformation := range d.p.Transformations {
		for label, heading := range transformation.Options.RenameByName {
			columns = append(columns, Column{label, heading})
		}
		slices.SortFunc(columns, func(a, b Column) int {
			return cmp.Compare(transformation.Options.IndexByName[a.Label], transformation.Options.IndexByName[b.Label])
		})
	}
	if len(d.p.Options.SortBy) > 0 {
		slices.SortStableFunc(lines, func(a, b line) int { return cmp.Compare(b.last(), a.last()) })
	}
	at := d.offsets(lines, columns)
	for i, c := range columns {
		d.text(d.x+at[i], d.y+12, 11, named[string(Blue)], c.Heading)
	}
	for row, l := range lines {
		y := d.y + 32 + float64(row)*20
		if y > d.y+d.h {
			break // Grafana scrolls
		}
		d.rule(d.x, y-14, d.x+d.w, y-14, theme.border, "")
		for i, c := range columns {
			cell := l.Labels[c.Label]
			if c.Label == "Value" {
				cell = d.format(l.last())
			}
			d.text(d.x+at[i], y, 11, theme.text, cell)
		}
	}
}

// offsets are where the columns begin, each as wide as its longest cell needs.
func (d drawing) offsets(lines []line, columns []Column) []float64 {
	widths := make([]float64, len(columns))
	sum := 0.0
	for i, c := range columns {
		longest := len(c.Heading)
		for _, l := range lines {
			longest = max(longest, len(l.Labels[c.Label]))
		}
		widths[i] = float64(longest + 3)
		sum += widths[i]
	}
	at := make([]float64, len(columns))
	for i := range columns[1:] {
		at[i+1] = at[i] + widths[i]*d.w/sum
	}
	return at
}

// states draws a bar for each series, coloured by what it was when.
func (d drawing) states(lines []line) {
	left, legend := min(230, d.w*0.35), 30.0
	h := min(40, (d.h-legend)/float64(len(lines)))
	for i, l := range lines {
		y := d.y + float64(i)*h
		d.textEnd(d.x+left-6, y+h/2+4, 10, theme.text, l.name)
		scale := (d.w - left) / float64(d.r.To-d.r.From)
		for from := 0; from < len(l.Values); {
			to := from + 1
			for to < len(l.Values) && same(l.Values[from], l.Values[to]) {
				to++
			}
			if v := l.Values[from]; v != nil {
				_, color := d.judge(*v)
				if c := d.marked(l.name); c != "" {
					color = c
				}
				end := min(float64(int64(to)*l.Step)*scale, d.w-left)
				d.rect(d.x+left+float64(int64(from)*l.Step)*scale, y+2, end-float64(int64(from)*l.Step)*scale, h-4, color, "")
			}
			from = to
		}
	}
	bottom := d.y + float64(len(lines))*h
	d.marks(d.x+left, d.w-left, d.y, bottom)
	d.clock(d.x+left, d.w-left, bottom+12)
	x := d.x
	for _, value := range sortedKeys(d.p.FieldConfig.Defaults.Mappings[0].Options) {
		m := d.p.FieldConfig.Defaults.Mappings[0].Options[value]
		d.rect(x, d.y+d.h-9, 12, 4, hue(m.Color), "")
		d.text(x+16, d.y+d.h-3, 10, theme.faint, m.Text)
		x += 32 + 6*float64(len(m.Text))
	}
}

func same(a, b *float64) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// heatmap draws the samples of each bucket over time.
func (d drawing) heatmap(lines []line) {
	bound := func(l line) float64 { v, _ := strconv.ParseFloat(l.Labels["le"], 64); return v }
	slices.SortFunc(lines, func(a, b line) int { return cmp.Compare(bound(a), bound(b)) })
	most := 0.0
	inBucket := func(i, at int) float64 {
		if at >= len(lines[i].Values) || lines[i].Values[at] == nil {
			return 0
		}
		v := *lines[i].Values[at]
		if i > 0 && at < len(lines[i-1].Values) && lines[i-1].Values[at] != nil {
			v -= *lines[i-1].Values[at]
		}
		return v
	}
	for i, l := range lines {
		for at := range l.Values {
			most = max(most, inBucket(i, at))
		}
	}
	left, h := 58.0, (d.h-18)/float64(len(lines))
	for i, l := range lines {
		y := d.y + d.h - 18 - float64(i+1)*h
		if i%2 == 0 && !math.IsInf(bound(l), 1) {
			d.textEnd(d.x+left-6, y+4, 9, theme.faint, d.format(bound(l)))
		}
		w := (d.w - left) * float64(l.Step) / float64(d.r.To-d.r.From)
		for at := range l.Values {
			if v := inBucket(i, at); v > 1e-9 {
				d.rect(d.x+left+float64(at)*w, y, w-0.5, h-0.5, heat(math.Sqrt(v/most)), "")
			}
		}
	}
	d.marks(d.x+left, d.w-left, d.y, d.y+d.h-18)
	d.clock(d.x+left, d.w-left, d.y+d.h-4)
}

// heat is a colour from blue to red.
func heat(part float64) string { return fmt.Sprintf("hsl(%.0f,85%%,50%%)", 240*(1-part)) }

// courses draws lines or stacked bars, with the annotations.
func (d drawing) courses(lines []line) {
	custom := d.p.FieldConfig.Defaults.Custom
	bars, log := custom.DrawStyle == "bars", custom.ScaleDistribution.Type == "log"
	low, high := extent(lines, bars)
	if !log {
		low = min(0, low)
	}
	if high <= low {
		high = low + 1
	}
	shown := min(len(lines), 4)
	left, plot := 58.0, d.h-22-float64(shown)*13
	place := func(v float64) float64 {
		if log {
			return d.y + plot*(1-math.Log(max(v, low)/low)/math.Log(high/low))
		}
		return d.y + plot*(1-(v-low)/(high-low))
	}
	for i := range 4 {
		v := low + (high-low)*float64(i)/3
		if log {
			v = low * math.Pow(high/low, float64(i)/3)
		}
		d.rule(d.x+left, place(v), d.x+d.w, place(v), theme.border, "")
		d.textEnd(d.x+left-6, place(v)+4, 9, theme.faint, d.format(v))
	}
	scale := (d.w - left) / float64(d.r.To-d.r.From)
	stack := map[int]float64{}
	for _, l := range lines {
		path := ""
		for at, v := range l.Values {
			if v == nil {
				path += " "
				continue
			}
			x := d.x + left + float64(int64(at)*l.Step)*scale
			if bars {
				d.rect(x-float64(l.Step)*scale*0.4, place(stack[at]+*v), float64(l.Step)*scale*0.8, place(stack[at])-place(stack[at]+*v), l.color, "")
				stack[at] += *v
				continue
			}
			path += fmt.Sprintf("%.1f,%.1f;", x, place(*v))
		}
		d.polyline(path, l)
	}
	d.marks(d.x+left, d.w-left, d.y, d.y+plot)
	d.clock(d.x+left, d.w-left, d.y+plot+12)
	for i, l := range lines[:shown] {
		y := d.y + plot + 26 + float64(i)*13
		d.rect(d.x, y-5, 12, 3, l.color, "")
		name := l.name
		if i == shown-1 && len(lines) > shown {
			name = fmt.Sprintf("%s, and %d more", name, len(lines)-shown)
		}
		d.text(d.x+18, y, 10, theme.faint, name)
		d.textEnd(d.x+d.w, y, 10, theme.faint, d.format(l.last()))
	}
}

func extent(lines []line, stacked bool) (low, high float64) {
	low = math.Inf(1)
	stack := map[int]float64{}
	for _, l := range lines {
		for at, v := range l.Values {
			if v == nil {
				continue
			}
			if stack[at] = *v + stack[at]; !stacked {
				stack[at] = *v
			}
			low, high = min(low, *v), max(high, stack[at])
		}
	}
	return low, high
}

// polyline draws what lies between gaps.
func (d drawing) polyline(path string, l line) {
	dash := ""
	if l.dashed {
		dash = ` stroke-dasharray="8 6"`
	}
	for _, piece := range strings.Fields(path) {
		points := strings.ReplaceAll(strings.TrimSuffix(piece, ";"), ";", " ")
		if !strings.Contains(points, " ") {
			x, y, _ := strings.Cut(points, ",")
			fmt.Fprintf(&d.out, `<circle cx=%q cy=%q r="2" fill=%q/>`+"\n", x, y, l.color)
			continue
		}
		fmt.Fprintf(&d.out, `<polyline points=%q fill="none" stroke=%q%s/>`+"\n", points, l.color, dash)
	}
}

// marks draws the annotations: a takeover at its end, a death while it lasts.
func (d drawing) marks(x, w, top, bottom float64) {
	scale := w / float64(d.r.To-d.r.From)
	for _, c := range d.r.Marks["Takeover"] {
		seen := map[float64]bool{}
		for _, v := range c.Values {
			if v == nil || seen[*v] || *v/1000 < float64(d.r.From) {
				continue
			}
			seen[*v] = true
			at := x + (*v/1000-float64(d.r.From))*scale
			d.rule(at, top, at, bottom, named[string(Blue)], "3 3")
		}
	}
	for _, c := range d.r.Marks["Peer dead"] {
		for i, v := range c.Values {
			if v != nil {
				fmt.Fprintf(&d.out, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill=%q fill-opacity="0.12"/>`+"\n",
					x+float64(int64(i)*c.Step)*scale, top, float64(c.Step)*scale, bottom-top, named[string(Red)])
			}
		}
	}
}

// clock writes the time at both ends and in the middle.
func (d drawing) clock(x, w, y float64) {
	for i, anchor := range []func(x, y, size float64, fill, text string){d.text, d.middle, d.textEnd} {
		at := time.Unix(d.r.From+(d.r.To-d.r.From)*int64(i)/2, 0).UTC()
		anchor(x+w*float64(i)/2, y, 9, theme.faint, at.Format("15:04"))
	}
}
