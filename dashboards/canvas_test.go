package dashboards

import (
	"bytes"
	"fmt"
	"html"
	"math"
	"regexp"
	"strings"
	"time"
)

// A canvas takes SVG.
type canvas struct{ out bytes.Buffer }

func (c *canvas) rect(x, y, w, h float64, fill, stroke string) {
	if stroke != "" {
		stroke = fmt.Sprintf(` stroke=%q`, stroke)
	}
	fmt.Fprintf(&c.out, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill=%q%s/>`+"\n", x, y, w, h, fill, stroke)
}

func (c *canvas) say(x, y, size float64, fill, text, anchor string) {
	fmt.Fprintf(&c.out, `<text x="%.1f" y="%.1f" font-size="%.0f" fill=%q%s>%s</text>`+"\n", x, y, size, fill, anchor, html.EscapeString(text))
}

func (c *canvas) text(x, y, size float64, fill, text string) { c.say(x, y, size, fill, text, "") }

func (c *canvas) textEnd(x, y, size float64, fill, text string) {
	c.say(x, y, size, fill, text, ` text-anchor="end"`)
}

func (c *canvas) middle(x, y, size float64, fill, text string) {
	c.say(x, y, size, fill, text, ` text-anchor="middle"`)
}

func (c *canvas) rule(x1, y1, x2, y2 float64, stroke, dash string) {
	fmt.Fprintf(&c.out, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke=%q stroke-dasharray=%q/>`+"\n", x1, y1, x2, y2, stroke, dash)
}

// lines are the panel's series with their names and colours, in the order of
// its queries.
func (d drawing) lines() (all []line) {
	for _, q := range d.p.Targets {
		for _, c := range d.r.Answers[panelKey(d.board, d.p.Title, q)] {
			l := line{course: c, color: palette[len(all)%len(palette)]}
			l.name = inLegend.ReplaceAllStringFunc(q.LegendFormat, func(label string) string { return c.Labels[strings.Trim(label, "{}")] })
			for _, o := range d.p.FieldConfig.Overrides {
				if regexp.MustCompile(strings.Trim(o.Matcher.Options, "/")).MatchString(l.name) {
					l.color, l.dashed = hue(o.Properties[0].Value.FixedColor), len(o.Properties) > 1
				}
			}
			all = append(all, l)
		}
	}
	return all
}

// marked is the colour that an override gives a name; "" for none.
func (d drawing) marked(name string) string {
	for _, o := range d.p.FieldConfig.Overrides {
		if regexp.MustCompile(strings.Trim(o.Matcher.Options, "/")).MatchString(name) {
			return hue(o.Properties[0].Value.FixedColor)
		}
	}
	return ""
}

// judge is what a value is called and coloured by mappings and thresholds.
func (d drawing) judge(v float64) (text, color string) {
	defaults := d.p.FieldConfig.Defaults
	for _, m := range defaults.Mappings {
		if o, ok := m.Options[fmt.Sprint(v)]; ok {
			return o.Text, hue(o.Color)
		}
	}
	for _, s := range defaults.Thresholds.Steps {
		if s.Value == nil || v >= *s.Value {
			color = hue(s.Color)
		}
	}
	return d.format(v), color
}

// format writes a value in the panel's unit.
func (d drawing) format(v float64) string {
	switch Unit(d.p.FieldConfig.Defaults.Unit) {
	case Seconds:
		return duration(v)
	case Ratio:
		return short(100*v) + " %"
	case PerSecond:
		return short(v) + " c/s"
	case Bytes:
		return short(v/(1<<20)) + " MiB"
	case Ago:
		return duration(float64(d.r.To)-v/1000) + " ago"
	}
	return short(v)
}

func short(v float64) string {
	switch {
	case math.Abs(v) < 1e-6:
		return "0"
	case math.Abs(v) < 0.01:
		return fmt.Sprintf("%.2g", v)
	case math.Abs(v) < 10 && v != math.Trunc(v):
		return fmt.Sprintf("%.2f", v)
	case math.Abs(v) < 100 && v != math.Trunc(v):
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}

func duration(v float64) string {
	switch abs := math.Abs(v); {
	case v == 0:
		return "0 s"
	case abs < 1e-3:
		return short(v*1e6) + " µs"
	case abs < 1:
		return short(v*1e3) + " ms"
	case abs < 120:
		return short(v) + " s"
	case abs < 7200:
		return short(v/60) + " min"
	}
	return time.Duration(v * float64(time.Second)).Round(time.Minute).String()
}
