package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"os"
	"strings"
	"testing"

	"github.com/systole-ha/systole/agent/control"
	"github.com/systole-ha/systole/cmd/systole/board"
)

// TestTopPicture draws the picture of the documentation from what a node of the
// lab told (test/failover, TestWebPage with -pictures), and holds it to that.
func TestTopPicture(t *testing.T) {
	text, err := os.ReadFile("testdata/top_picture.json")
	if err != nil {
		t.Fatal(err)
	}
	var told struct {
		Status control.Status
		Events []control.Event
	}
	if err := json.Unmarshal(text, &told); err != nil {
		t.Fatal(err)
	}
	v := topView{board: board.New(told.Status, told.Events), width: 120, height: 36, glyphs: unicodeGlyphs}
	golden(t, "../../../docs/pictures/top.svg", string(drawScreen(v.draw(), v.width)))
}

// A character of the picture, in pixels.
const (
	cellWidth  = 8
	cellHeight = 17
)

// inks are the styles on a dark terminal.
var inks = map[style]string{
	stylePlain: "#d8dde3", styleBold: "#ffffff", styleFaint: "#8c96a1", styleHead: "#111417",
	styleFine: "#5fc27e", styleHalf: "#e5b73b", styleNear: "#f28c3c", styleClose: "#ff6b72", styleBar: "#6ab8d8",
}

// drawScreen draws rows as SVG. Bars are drawn as such: few fonts have them all
// in one width.
func drawScreen(rows []row, columns int) []byte {
	var out bytes.Buffer
	width, height := columns*cellWidth+16, len(rows)*cellHeight+16
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="13">`+"\n", width, height, width, height)
	fmt.Fprintf(&out, `<rect width="%d" height="%d" rx="6" fill="#111417"/>`+"\n", width, height)
	for i, r := range rows {
		x, y := 8, 8+i*cellHeight
		for _, s := range r {
			long := len([]rune(s.text)) * cellWidth
			switch bar := strings.Index(strings.Join(unicodeGlyphs.spark, ""), firstOf(s.text)); {
			case s.style == styleHead:
				fmt.Fprintf(&out, `<rect x="%d" y="%d" width="%d" height="%d" fill="#d8dde3"/>`, x, y, long, cellHeight)
				drawText(&out, x, y, s)
			case bar >= 0 && s.text != "":
				tall := (bar/len("▁") + 1) * (cellHeight - 3) / len(unicodeGlyphs.spark)
				fmt.Fprintf(&out, `<rect x="%d" y="%d" width="%d" height="%d" fill="%s"/>`, x, y+cellHeight-1-tall, long-1, tall, inks[s.style])
			default:
				drawText(&out, x, y, s)
			}
			x += long
		}
		out.WriteByte('\n')
	}
	out.WriteString("</svg>\n")
	return out.Bytes()
}

func firstOf(text string) string {
	for _, r := range text {
		return string(r)
	}
	return ""
}

// drawText draws every word where it stands: blanks in a row would become one.
func drawText(out *bytes.Buffer, x, y int, s span) {
	weight := ""
	if s.style == styleBold || s.style == styleClose {
		weight = ` font-weight="bold"`
	}
	for _, word := range strings.Split(s.text, " ") {
		long := len([]rune(word)) * cellWidth
		if word != "" {
			fmt.Fprintf(out, `<text x="%d" y="%d" textLength="%d" lengthAdjust="spacingAndGlyphs" fill="%s"%s>%s</text>`,
				x, y+13, long, inks[s.style], weight, html.EscapeString(word))
		}
		x += long + cellWidth
	}
}
