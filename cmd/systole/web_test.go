package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/html"

	"github.com/systole-ha/systole/agent"
	"github.com/systole-ha/systole/agent/control"
	"github.com/systole-ha/systole/cmd/systole/board"
)

// pictured is a web server of a node that gives these pictures, or none.
func pictured(st control.Status, events []control.Event, err error) (http.Handler, *atomic.Int32) {
	asked := new(atomic.Int32)
	metrics := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "systole_up 1") })
	return webHandler(metrics, newWebFeed(
		func(context.Context) (control.Status, error) { asked.Add(1); return st, err },
		func() []control.Event { return events },
	)), asked
}

// answerOf is what a handler says to one request.
func answerOf(h http.Handler, method, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w
}

func TestWebPaths(t *testing.T) {
	fine, _ := pictured(quiet(), nil, nil)
	ended, _ := pictured(control.Status{}, nil, agent.ErrEnded)
	for _, tt := range []struct {
		name         string
		server       http.Handler
		method, path string
		code         int
		says         string
	}{
		{name: "metrics", server: fine, method: "GET", path: "/metrics", code: 200, says: "systole_up 1"},
		{name: "a process that answers is healthy", server: ended, method: "GET", path: "/-/healthy", code: 200, says: "systole is healthy."},
		{name: "a node whose loop answers is ready", server: fine, method: "GET", path: "/-/ready", code: 200, says: "systole is ready."},
		{name: "one whose loop does not is not", server: ended, method: "GET", path: "/-/ready", code: 503, says: "systole is not ready: the agent has stopped"},
		{name: "a load balancer asks for the head only", server: fine, method: "HEAD", path: "/-/ready", code: 200},
		{name: "the page", server: fine, method: "GET", path: "/", code: 200, says: `<td class="owner">alpha</td>`},
		{name: "the page of a node that does not answer", server: ended, method: "GET", path: "/", code: 503, says: "no answer: the agent has stopped"},
		{name: "what changes of it", server: fine, method: "GET", path: "/board", code: 200, says: `<section id="now"`},
		{name: "its style", server: fine, method: "GET", path: "/web/page.css", code: 200, says: "prefers-color-scheme: dark"},
		{name: "its script", server: fine, method: "GET", path: "/web/page.js", code: 200, says: "fetch('board'"},
		{name: "not what it is made of", server: fine, method: "GET", path: "/web/page.html", code: 404},
		{name: "whatever else is not there", server: fine, method: "GET", path: "/etc/passwd", code: 404},
		{name: "nor is a folder", server: fine, method: "GET", path: "/web/", code: 404},
		{name: "nothing can be changed here", server: fine, method: "POST", path: "/", code: 405},
		{name: "nor put", server: fine, method: "PUT", path: "/metrics", code: 405},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := answerOf(tt.server, tt.method, tt.path)
			if got.Code != tt.code || !strings.Contains(got.Body.String(), tt.says) {
				t.Errorf("%s %s: %d %q; want %d %q", tt.method, tt.path, got.Code, got.Body, tt.code, tt.says)
			}
		})
	}
}

func TestViewersCostTheLoopOneAnswerASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, asked := pictured(death(), happened(), nil)
		for range 10 {
			var viewers sync.WaitGroup
			for _, path := range []string{"/", "/board", "/-/ready"} {
				for range 50 {
					viewers.Go(func() { answerOf(h, "GET", path) })
				}
			}
			viewers.Wait()
			time.Sleep(askInterval)
		}
		time.Sleep(time.Hour)
		if got := asked.Load(); got != 10 {
			t.Errorf("the loop was asked %d times in 10 seconds and an hour of nobody; want 10", got)
		}
	})
}

// TestAPageThatIsNotOfNow keeps what was there, says that it is old, and goes on
// when the node answers again.
func TestAPageThatIsNotOfNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var trouble error
		h := webHandler(http.NotFoundHandler(), newWebFeed(
			func(context.Context) (control.Status, error) { return quiet(), trouble },
			func() []control.Event { return nil },
		))
		for _, tt := range []struct {
			name  string
			err   error
			code  int
			tells string
		}{
			{name: "it answers", code: 200, tells: "<strong>active, holds local groups</strong>"},
			{name: "it does not", err: context.DeadlineExceeded, code: 503, tells: "no answer: systole does not answer; what follows is from 20:38:13"},
			{name: "it does again", code: 200, tells: "<strong>active, holds local groups</strong>"},
		} {
			trouble = tt.err
			got := answerOf(h, "GET", "/board")
			if got.Code != tt.code || !strings.Contains(got.Body.String(), tt.tells) || !strings.Contains(got.Body.String(), `<td class="owner">alpha</td>`) {
				t.Errorf("%s: %d\n%s\nwant %d, %q and what was there", tt.name, got.Code, got.Body, tt.code, tt.tells)
			}
			time.Sleep(askInterval)
		}
	})
}

func TestWebPage(t *testing.T) {
	for _, tt := range []struct {
		file string
		st   control.Status
	}{
		{"web_quiet.html", lively(quiet())}, {"web_death.html", lively(death())}, {"web_trouble.html", lively(trouble())},
	} {
		t.Run(tt.file, func(t *testing.T) {
			b := board.New(tt.st, happened())
			golden(t, tt.file, string(drawWeb("board", b)))
			whole := string(drawWeb("page", b))
			if !strings.Contains(whole, string(drawWeb("board", b))) {
				t.Error("the page does not contain the board")
			}
			wellFormed(t, whole)
		})
	}
}

// TestThePageKeepsItsOwnPolicy finds nothing in it that the policy forbids or
// that is fetched from elsewhere.
func TestThePageKeepsItsOwnPolicy(t *testing.T) {
	h, _ := pictured(lively(trouble()), happened(), nil)
	for _, path := range []string{"/", "/board", "/web/page.css", "/web/page.js"} {
		got := answerOf(h, "GET", path)
		policy := got.Header().Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"} {
			if !strings.Contains(policy, want) || strings.Contains(policy, "unsafe") {
				t.Errorf("%s: policy %q, want %q in it and nothing unsafe", path, policy, want)
			}
		}
		if got.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s may be taken for something else", path)
		}
		body := got.Body.String()
		for _, never := range []string{`style=`, `javascript:`, `onclick`, `onload`, `@import`, `http://`, `https://`, `//cdn`, `eval(`, `innerHTML`} {
			if strings.Contains(body, never) {
				t.Errorf("%s contains %s", path, never)
			}
		}
		if strings.Contains(body, "<script") && !regexp.MustCompile(`<script src="web/page.js" defer></script>`).MatchString(body) {
			t.Errorf("%s has a script of its own", path)
		}
	}
}

// TestHostileTextsStayTexts puts markup into everything that peers and files
// can name.
func TestHostileTextsStayTexts(t *testing.T) {
	const evil = `"><script>alert(1)</script><img src=x onerror=alert(2)>'`
	st := lively(trouble())
	st.Cluster, st.Node, st.Version = evil, evil, evil
	for i := range st.Nodes {
		m := &st.Nodes[i]
		m.Node, m.Version, m.Wire, m.State = evil, evil, "systole", evil
		for j := range m.Links {
			m.Links[j].Link = evil
		}
	}
	g := &st.Groups[0]
	g.Group, g.Preferred, g.Holders, g.State, g.Failure, g.Resources[1].Resource = evil, evil, []string{evil}, evil, evil, evil
	tk := &st.Takeovers[0]
	tk.Trigger, tk.Groups, tk.Phases = evil, []string{evil}, []control.Phase{{Phase: evil, Took: seconds(1)}}
	tk.Failures = []control.Failure{{Group: evil, Resource: evil, Error: evil, Next: evil}}
	b := board.New(st, []control.Event{{Severity: evil, Text: evil}})
	b.Problem = evil
	page := string(drawWeb("page", b))
	if n := strings.Count(page, "<script"); n != 1 {
		t.Errorf("%d scripts, want the page's own", n)
	}
	if strings.Contains(page, "<img") {
		t.Error("a picture was smuggled in")
	}
	if n := strings.Count(page, "alert(1)"); n < 20 {
		t.Errorf("the name stands in the page %d times only: the test looks at less than there is", n)
	}
	wellFormed(t, page)
}

// wellFormed fails for a page in which an element is not closed by its own end,
// or has an attribute that runs code.
func wellFormed(t *testing.T, page string) {
	t.Helper()
	void := map[string]bool{"meta": true, "link": true}
	var open []string
	for z := html.NewTokenizer(strings.NewReader(page)); ; {
		kind := z.Next()
		token := z.Token()
		for _, a := range token.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" {
				t.Errorf("<%s> has the attribute %s", token.Data, a.Key)
			}
		}
		switch kind {
		case html.ErrorToken:
			if z.Err() != io.EOF || len(open) > 0 {
				t.Errorf("the page ends with %v open: %v", open, z.Err())
			}
			return
		case html.StartTagToken:
			if !void[token.Data] {
				open = append(open, token.Data)
			}
		case html.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != token.Data {
				t.Fatalf("</%s> ends %v", token.Data, open)
			}
			open = open[:len(open)-1]
		}
	}
}

func TestBrowsersKeepTheStyle(t *testing.T) {
	h, _ := pictured(quiet(), nil, nil)
	tag := answerOf(h, "GET", "/web/page.css").Header().Get("ETag")
	request := httptest.NewRequest("GET", "/web/page.css", nil)
	request.Header.Set("If-None-Match", tag)
	again := httptest.NewRecorder()
	h.ServeHTTP(again, request)
	if tag == "" || again.Code != http.StatusNotModified {
		t.Errorf("tag %s: asked again, the answer is %d", tag, again.Code)
	}
}

func BenchmarkWebPage(b *testing.B) {
	all := board.New(lively(death()), happened())
	b.ReportAllocs()
	for b.Loop() {
		b.SetBytes(int64(len(drawWeb("board", all))))
	}
}
