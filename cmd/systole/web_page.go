package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/systole-ha/systole/agent/control"
	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/cmd/systole/board"
)

//go:embed web
var webFiles embed.FS

// What the page has room for.
const (
	webTakeovers = 5
	webEvents    = 30
)

// A webPage is the page at /, as it is now.
type webPage struct {
	board  board.Board
	err    error         // why the node did not answer
	inside func() []byte // what changes from second to second, drawn when it is first asked for
	whole  func() []byte // the same as a page of its own
}

// newWebFeed makes the page for all who look at it: however many they are, the
// loop is asked once a second at most.
func newWebFeed(status func(context.Context) (control.Status, error), events func() []control.Event) *feed[*webPage] {
	var last board.Board
	return &feed[*webPage]{interval: askInterval, limit: askTime, make: func(ctx context.Context) (*webPage, error) {
		st, err := status(ctx)
		if err == nil {
			last = board.New(st, events())
			return newWebPage(last, nil), nil
		}
		if errors.Is(err, context.DeadlineExceeded) {
			err = control.ErrTimeout
		}
		stale := last
		stale.Problem = board.Clean(err.Error())
		return newWebPage(stale, err), nil
	}}
}

func newWebPage(b board.Board, err error) *webPage {
	return &webPage{
		board: b, err: err,
		inside: sync.OnceValue(func() []byte { return drawWeb("board", b) }),
		whole:  sync.OnceValue(func() []byte { return drawWeb("page", b) }),
	}
}

func drawWeb(name string, b board.Board) []byte {
	var page bytes.Buffer
	if err := webTemplates.ExecuteTemplate(&page, name, b); err != nil {
		panic(fmt.Sprintf("the page does not fit its board: %v", err)) // and the test of it has not been run
	}
	return page.Bytes()
}

var webTemplates = template.Must(template.New("").Funcs(template.FuncMap{
	"title":    webTitle,
	"clock":    func(t time.Time) string { return t.Format(time.TimeOnly) },
	"day":      func(t time.Time) string { return t.Format(time.DateTime) },
	"rest":     func(members []string) []string { return members[min(1, len(members)):] },
	"newest":   func(all []board.Takeover) []board.Takeover { return all[:min(webTakeovers, len(all))] },
	"permille": func(share float64) string { return fmt.Sprintf("%.1f", share*1000) },
	"width":    func(p board.Phase) string { return fmt.Sprintf("%.1f", max(2, (p.To-p.From)*1000)) },
	"level":    func(c *board.Course) board.Level { return board.LevelOf(c.Worst()) },
	"bars":     webBars,
}).ParseFS(webFiles, "web/page.html"))

// webTitle is what a tab has room for: how many things want attention, the node.
func webTitle(b board.Board) string {
	if b.Node == "" {
		return "systole"
	}
	bad := 0
	for _, n := range b.Notices {
		if n.Bad {
			bad++
		}
	}
	if b.Problem != "" {
		bad++
	}
	if bad > 0 {
		return fmt.Sprintf("(%d!) %s: %s", bad, b.Node, b.State)
	}
	return fmt.Sprintf("%s: %s", b.Node, b.State)
}

// A webBar is all bars of one level in a course.
type webBar struct {
	Level board.Level
	Path  string
}

// webBars draws a course in a box of 240 x 20: four a step, the worst at the top.
func webBars(c *board.Course) []webBar {
	const steps, height = 60, 20.0
	paths := make([]strings.Builder, board.Close+1)
	for i, used := range c.Fit(steps) {
		if used < 0 {
			continue
		}
		tall := max(.6, used*height)
		fmt.Fprintf(&paths[board.LevelOf(used)], "M%d 20v-%.1fh3v%.1fz", i*4, tall, tall)
	}
	var bars []webBar
	for level := range paths {
		if paths[level].Len() > 0 {
			bars = append(bars, webBar{board.Level(level), paths[level].String()})
		}
	}
	return bars
}

// webPolicy lets the page load what this server has, and nothing else; nobody
// may put it into a frame. data: is for an icon of nothing, or browsers ask for
// one.
const webPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func webHeaders(w http.ResponseWriter, contentType, cache string) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", cache)
	h.Set("Content-Security-Policy", webPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// serve answers with one of the forms of the page; with 503 where it is not of
// now.
func serve(pages *feed[*webPage], form func(*webPage) []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page, err := pages.get(r.Context())
		if err != nil {
			return // who asked has gone
		}
		webHeaders(w, "text/html; charset=utf-8", "no-store")
		if page.err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		w.Write(form(page))
	})
}

// serveFile answers with a file of the page, which a browser need not fetch
// again while the daemon is of the same version.
func serveFile(name, contentType string) http.Handler {
	content, err := webFiles.ReadFile("web/" + name)
	if err != nil {
		panic(err) // it is part of this program
	}
	tag := fmt.Sprintf(`"%x"`, sha256.Sum256(content))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		webHeaders(w, contentType, "no-cache")
		w.Header().Set("ETag", tag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	})
}

// webStatus is how the page sees the node of this process.
func webStatus(server *control.Server, n control.Node) *feed[*webPage] {
	return newWebFeed(
		func(ctx context.Context) (control.Status, error) { return server.Status(ctx, n) },
		func() []control.Event { return server.Newest(event.Notice, webEvents) },
	)
}
