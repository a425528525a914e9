package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/systole-ha/systole/agent"
	"github.com/systole-ha/systole/agent/control/controltest"
	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/agent/takeover"
)

// pictured is a node that answers with a picture of it, or not at all.
type pictured struct {
	snapshot core.Snapshot
	err      error
	asked    atomic.Int32
}

func (p *pictured) Snapshot(context.Context) (core.Snapshot, error) {
	p.asked.Add(1)
	return p.snapshot, p.err
}

func (p *pictured) Request(context.Context, string, string, int) (takeover.Reply, error) {
	panic("nobody may move groups over HTTP")
}

func (p *pictured) Parameter(string) (string, bool) { panic("nobody asks for this over HTTP") }

// answerOf is what a handler says to one request.
func answerOf(h http.Handler, method, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w
}

func TestWebPaths(t *testing.T) {
	metrics := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "systole_up 1") })
	fine, ended := &pictured{snapshot: controltest.Pair()}, &pictured{err: agent.ErrEnded}
	for _, tt := range []struct {
		name         string
		node         *pictured
		method, path string
		code         int
		says         string
	}{
		{name: "metrics", node: fine, method: "GET", path: "/metrics", code: 200, says: "systole_up 1"},
		{name: "a process that answers is healthy", node: ended, method: "GET", path: "/-/healthy", code: 200, says: "systole is healthy."},
		{name: "a node whose loop answers is ready", node: fine, method: "GET", path: "/-/ready", code: 200, says: "systole is ready."},
		{name: "one whose loop does not is not", node: ended, method: "GET", path: "/-/ready", code: 503, says: "systole is not ready: the agent has stopped"},
		{name: "a load balancer asks for the head only", node: fine, method: "HEAD", path: "/-/ready", code: 200},
		{name: "whatever else is not there", node: fine, method: "GET", path: "/etc/passwd", code: 404},
		{name: "nor is a folder", node: fine, method: "GET", path: "/-/", code: 404},
		{name: "nothing can be changed here", node: fine, method: "POST", path: "/-/ready", code: 405},
		{name: "nor put", node: fine, method: "PUT", path: "/metrics", code: 405},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := answerOf(webHandler(metrics, tt.node), tt.method, tt.path)
			if got.Code != tt.code || !strings.Contains(got.Body.String(), tt.says) {
				t.Errorf("%s %s: %d %q; want %d %q", tt.method, tt.path, got.Code, got.Body, tt.code, tt.says)
			}
		})
	}
}

func TestReadinessCostsTheLoopOneAnswerASecond(t *testing.T) {
	n := &pictured{snapshot: controltest.Pair()}
	h := webHandler(http.NotFoundHandler(), n)
	for range 1000 {
		answerOf(h, "GET", "/-/ready")
	}
	if got := n.asked.Load(); got < 1 || got > 3 {
		t.Errorf("the loop was asked %d times for 1000 requests at once", got)
	}
}
