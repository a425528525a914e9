package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/event"
)

func TestPostsAreKeptInTheStateFolder(t *testing.T) {
	store := postStore{t.TempDir()}
	path := filepath.Join(store.dir, "webhook-pager.jsonl")
	for _, text := range []string{"", "one\n", "two\n", ""} {
		if err := store.Save("pager", []byte(text)); err != nil {
			t.Fatal(err)
		}
		got, err := store.Load("pager")
		if err != nil || string(got) != text {
			t.Errorf("Load = %q, %v; want %q", got, err, text)
		}
		info, err := os.Stat(path)
		if (err == nil) != (text != "") || err == nil && info.Mode().Perm() != 0o600 {
			t.Errorf("after saving %q there is %v, %v", text, info, err)
		}
	}
	if err := os.WriteFile(path, make([]byte, readMost+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if text, err := store.Load("pager"); err != nil || len(text) != readMost {
		t.Errorf("of a file that is too long %d bytes are read, %v", len(text), err)
	}
	if text, err := (postStore{path}).Load("pager"); err == nil {
		t.Errorf("a folder that is none says %q", text)
	}
}

// TestAWebhookGoesOnAfterARestart ends one daemon's receivers and opens those of
// the next.
func TestAWebhookGoesOnAfterARestart(t *testing.T) {
	d := daemonOf(t, "webhook pager http://127.0.0.1:1/\n")
	old := d.openReceivers(identity{generation: 7}, true, func(event.Event) {})
	for _, s := range old.sinks() {
		s.Record(event.Record{Sequence: 1, Time: time.Now(), Cluster: "alpha-beta", Node: "alpha", Event: event.PeerDead{Peer: "beta"}})
	}
	if err := old.closeAll(t.Context()); err == nil || !strings.Contains(err.Error(), "1 of them are kept") {
		t.Errorf("the end of the old one says %v", err)
	}
	taken := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { taken <- r.Header.Get("webhook-id") }))
	defer server.Close()
	d.cfg.Webhooks[0].URL = server.URL
	next := d.openReceivers(identity{generation: 8}, true, func(event.Event) {})
	if id := <-taken; !strings.HasSuffix(id, "-7-1") {
		t.Errorf("the first post of the next daemon is %s", id)
	}
	if err := next.closeAll(t.Context()); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(d.cfg.StateDir + "/webhook-*"); len(left) > 0 {
		t.Errorf("all is delivered and these are left: %v", left)
	}
}
