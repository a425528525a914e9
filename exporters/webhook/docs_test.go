package webhook

import (
	"bufio"
	"context"
	"encoding/base64"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/event"
)

// TestTheReceiverOfTheManual runs the example of docs/operations.md, which must
// believe us and nobody else.
func TestTheReceiverOfTheManual(t *testing.T) {
	manual, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, program, ok := strings.Cut(string(manual), "```python\n")
	program, _, _ = strings.Cut(program, "```")
	server, last, _ := strings.Cut(program, "http.server.ThreadingHTTPServer((\"\", 8080), Receiver)")
	if !ok || last == "" {
		t.Fatal("the manual has no receiver that listens on port 8080")
	}
	program = server + "s = http.server.ThreadingHTTPServer((\"127.0.0.1\", 0), Receiver)\nprint(s.server_port, flush=True)\ns" + last

	secret, dir := []byte("a-secret-of-twenty-four.."), t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "pager.secret"), []byte("whsec_"+base64.StdEncoding.EncodeToString(secret)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	python := exec.CommandContext(t.Context(), "python3", "-c", program)
	python.Dir, python.WaitDelay = dir, time.Second
	stdout, err := python.StdoutPipe()
	if err == nil {
		err = python.Start()
	}
	if err != nil {
		t.Fatalf("python3 is needed: %v", err)
	}
	t.Cleanup(func() { python.Wait() })
	lines := bufio.NewScanner(stdout)
	lines.Scan()
	url := "http://127.0.0.1:" + lines.Text() + "/"

	cfg := Config{Cluster: "web", Node: "beta", BootID: "4f2a91c0", Generation: 7, Endpoints: []Endpoint{
		{Name: "ours", URL: url, Secrets: [][]byte{secret}},
		{Name: "rolling", URL: url, Secrets: [][]byte{[]byte("the-secret-that-is-to-come"), secret}},
		{Name: "forged", URL: url, Secrets: [][]byte{[]byte("some-secret-of-24-bytes.")}},
		{Name: "unsigned", URL: url},
	}}
	w := New(cfg)
	w.Record(event.Record{Sequence: 1, Time: time.Now(), Cluster: "web", Node: "beta", Event: event.PeerDead{Peer: "alpha", Silence: 2 * time.Second, Deadtime: 2 * time.Second}})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := w.Close(ctx); err != nil {
		t.Error(err)
	}
	for name, want := range map[string]string{"ours": "ok", "rolling": "ok", "forged": "given_up", "unsigned": "given_up"} {
		if w.Deliveries(name)[want] != 1 {
			t.Errorf("%s: %v, want %s", name, w.Deliveries(name), want)
		}
	}
	if w.Deliveries("ours")["ok"] == 0 {
		t.Fatal("it has nothing to print")
	}
	lines.Scan()
	if got := lines.Text(); !strings.HasSuffix(got, " /web/beta peer alpha is dead: silent for 2s, deadtime 2s") {
		t.Errorf("it printed %q", got)
	}
	stale, err := http.NewRequest(http.MethodPost, url, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	sign(stale.Header, [][]byte{secret}, "beta-4f2a91c0-7-2", time.Now().Add(-time.Hour), []byte("{}"))
	answer, err := http.DefaultClient.Do(stale)
	if err != nil || answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("a post of an hour ago: %v, %v", answer, err)
	}
}
