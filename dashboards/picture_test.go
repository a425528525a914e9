package dashboards

import (
	"bytes"
	"fmt"
	"os"
	"testing"
	"time"
)

// TestPictures draws each board from its JSON and from what a lab run answered,
// and holds the pictures of the README to that. They show layout and content;
// they are not Grafana's screenshots, and say so.
func TestPictures(t *testing.T) {
	const path = "testdata/incident.json"
	if *incident != "" {
		writeJSON(t, path, askIncident(t, *incident))
	}
	var r recording
	readJSON(t, path, &r)
	for _, b := range committed(t) {
		name := "pictures/" + b.file[:len(b.file)-len("json")] + "svg"
		fresh := picture(b, r)
		if *update {
			if err := os.WriteFile(name, fresh, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if file, err := os.ReadFile(name); err != nil || !bytes.Equal(file, fresh) {
			t.Errorf("%s does not show the board as it is (%v): run go generate ./dashboards", name, err)
		}
	}
}

// Pixels of the pictures.
const (
	columnWidth = 52
	lineHeight  = 36
	gap         = 6  // between panels
	above       = 58 // the board's title and choices
)

var theme = struct{ back, panel, border, text, faint string }{"#111217", "#181b1f", "#2c3235", "#d8d9da", "#8e9199"}

// palette is what series are coloured by in their order.
var palette = []string{"#73bf69", "#f2cc0c", "#8ab8ff", "#ff780a", "#f2495c", "#5794f2", "#b877d9", "#fade2a", "#56a64b", "#ffa6b0"}

// named are the hues behind Grafana's names.
var named = map[string]string{
	string(Green): "#73bf69", string(Blue): "#5794f2", string(Yellow): "#f2cc0c",
	string(Orange): "#ff9830", string(Red): "#f2495c", string(Purple): "#b877d9",
}

func hue(color string) string {
	if h, ok := named[color]; ok {
		return h
	}
	return color
}

// picture draws a whole board as SVG.
func picture(b grafanaBoard, r recording) []byte {
	bottom := 0
	for _, p := range b.Panels {
		bottom = max(bottom, p.GridPos.Y+p.GridPos.H)
	}
	c := &canvas{}
	width, height := boardWidth*columnWidth+gap, bottom*lineHeight+above+gap
	fmt.Fprintf(&c.out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="Inter, Helvetica, Arial, sans-serif" font-size="11">`+"\n", width, height, width, height)
	c.rect(0, 0, float64(width), float64(height), theme.back, "")
	c.text(10, 22, 16, theme.text, b.Title)
	c.text(10, 44, 11, theme.faint, choices(b))
	from, to := time.Unix(r.From, 0).UTC(), time.Unix(r.To, 0).UTC()
	c.textEnd(float64(width-10), 22, 11, theme.faint, fmt.Sprintf("layout drawn from %s with values of a lab run, not a Grafana screenshot", b.file))
	c.textEnd(float64(width-10), 44, 11, theme.faint, fmt.Sprintf("%s to %s UTC", from.Format("2006-01-02 15:04"), to.Format("15:04")))
	for _, p := range b.Panels {
		g := p.GridPos
		d := drawing{
			canvas: c, p: p, r: r, board: b.file,
			x: float64(g.X*columnWidth + gap), y: float64(g.Y*lineHeight + above + gap),
			w: float64(g.W*columnWidth - gap), h: float64(g.H*lineHeight - gap),
		}
		d.panel()
	}
	c.out.WriteString("</svg>\n")
	return c.out.Bytes()
}

func choices(b grafanaBoard) string {
	line := ""
	for _, v := range b.Templating.List {
		value := "All"
		switch {
		case v.Type == "datasource":
			value = "Prometheus"
		case !v.Multi:
			value = "web"
		}
		line += fmt.Sprintf("%s: %s    ", v.Name, value)
	}
	return line
}

// A drawing is one panel on its way to paper.
type drawing struct {
	*canvas
	p          grafanaPanel
	r          recording
	board      string
	x, y, w, h float64 // then, below the title, what is left
}

// A line is one series to draw.
type line struct {
	course
	name, color string
	dashed      bool
}

func (d drawing) panel() {
	if d.p.Type == "row" {
		arrow, more := "▾ ", ""
		if d.p.Collapsed {
			arrow, more = "▸ ", fmt.Sprintf(": %d more, closed", len(d.p.Panels))
		}
		d.text(d.x+4, d.y+20, 13, theme.text, arrow+d.p.Title+more)
		return
	}
	d.rect(d.x, d.y, d.w, d.h, theme.panel, theme.border)
	d.text(d.x+8, d.y+16, 12, theme.text, d.p.Title)
	d.x, d.y, d.w, d.h = d.x+8, d.y+24, d.w-16, d.h-30
	lines := d.lines()
	if len(lines) == 0 {
		d.middle(d.x+d.w/2, d.y+d.h/2, 12, theme.faint, d.p.FieldConfig.Defaults.NoValue)
		return
	}
	switch d.p.Type {
	case "stat":
		d.stat(lines)
	case "bargauge":
		d.barGauge(lines)
	case "table":
		d.table(lines)
	case "heatmap":
		d.heatmap(lines)
	case "state-timeline", "status-history":
		d.states(lines)
	default:
		d.courses(lines)
	}
}
