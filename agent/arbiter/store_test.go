package arbiter

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/permission"
)

// A voter is what the two stores have in common.
type voter interface {
	Vote(context.Context, permission.Question) permission.Answer
	Release(context.Context, permission.Question) error
	Probe(context.Context) error
	Close()
}

// castsOneVote holds two nodes, and a later daemon of one of them, against what
// an arbiter is to do.
func castsOneVote(t *testing.T, alpha, beta, again voter) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	q := permission.Question{Want: permission.Vote, Length: 10 * time.Second}
	vote := func(name string, v voter, granted bool, holder string) {
		t.Helper()
		if got := v.Vote(ctx, q); got.Err != nil || got.Granted != granted || got.Holder != holder {
			t.Errorf("%s: got %+v, want granted %v, holder %q", name, got, granted, holder)
		}
	}
	free := func(v voter) {
		t.Helper()
		if err := v.Release(ctx, q); err != nil {
			t.Error(err)
		}
	}
	if err := alpha.Probe(ctx); err != nil {
		t.Errorf("probe: %v", err)
	}
	vote("alpha gets it", alpha, true, "alpha")
	vote("beta does not, and is told who has it", beta, false, "alpha")
	vote("alpha keeps it", alpha, true, "alpha")
	free(beta)
	vote("beta cannot give back what it does not have", beta, false, "alpha")
	free(alpha)
	vote("beta gets it", beta, true, "beta")
	vote("alpha does not", alpha, false, "beta")
	free(beta)
	vote("alpha gets it again", alpha, true, "alpha")
	for range 2 { // of an earlier daemon, it may take two questions
		if got := again.Vote(ctx, q); got.Err != nil || got.Holder == "beta" {
			t.Errorf("a later daemon of alpha: %+v", got)
		}
	}
	vote("the later daemon of alpha has it", again, true, "alpha")
	vote("beta still does not", beta, false, "alpha")
	free(again)
}

func at(url string, node string) Store {
	return Store{URLs: []string{url}, Key: "systole/shop/vote", Node: node, Secret: func() string { return "" }}
}

// TestEtcd asks a real etcd, which make deps installs.
func TestEtcd(t *testing.T) {
	program, err := exec.LookPath("etcd")
	if err != nil {
		t.Fatal(err)
	}
	peer, client := freePort(t), freePort(t)
	command := exec.Command(program, "--data-dir", t.TempDir(), "--log-level", "error",
		"--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", peer,
		"--initial-advertise-peer-urls", peer, "--initial-cluster", "default="+peer)
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	}()
	dead := "http://127.0.0.1:9" // one of the servers is down
	store := func(node string) Store {
		s := at(client, node)
		s.URLs = []string{dead, client}
		return s
	}
	alpha, beta, again := NewEtcd(store("alpha")), NewEtcd(store("beta")), NewEtcd(store("alpha"))
	for _, v := range []voter{alpha, beta, again} {
		defer v.Close()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	wait := time.NewTicker(50 * time.Millisecond)
	defer wait.Stop()
	for alpha.Probe(ctx) != nil {
		select {
		case <-wait.C:
		case <-ctx.Done():
			t.Fatal("etcd does not answer")
		}
	}
	castsOneVote(t, alpha, beta, again)
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}

// TestConsul asks what speaks as Consul's documentation of its HTTP API says:
// Debian has no Consul.
func TestConsul(t *testing.T) {
	server := httptest.NewServer(&consul{sessions: map[string]bool{}})
	defer server.Close()
	alpha, beta, again := NewConsul(at(server.URL, "alpha")), NewConsul(at(server.URL, "beta")), NewConsul(at(server.URL, "alpha"))
	for _, v := range []voter{alpha, beta, again} {
		defer v.Close()
	}
	castsOneVote(t, alpha, beta, again)
}

// A consul is a Consul with one key, whose sessions end when they are told to.
type consul struct {
	mu       sync.Mutex
	sessions map[string]bool
	holder   string // session
	value    []byte
}

func (c *consul) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	path := strings.TrimPrefix(r.URL.Path, "/v1/")
	last := path[strings.LastIndex(path, "/")+1:]
	switch {
	case path == "status/leader":
		fmt.Fprint(w, `"127.0.0.1:8300"`)
	case path == "session/create":
		var want struct {
			TTL, LockDelay string
			Checks         []string
		}
		if json.Unmarshal(body, &want) != nil || want.TTL != "10s" || want.LockDelay != "0s" || want.Checks == nil {
			http.Error(w, "not as it is to be", http.StatusBadRequest)
			return
		}
		id := fmt.Sprint("session-", len(c.sessions))
		c.sessions[id] = true
		_ = json.NewEncoder(w).Encode(map[string]string{"ID": id})
	case strings.HasPrefix(path, "session/renew/"):
		if !c.sessions[last] {
			http.Error(w, "no such session", http.StatusNotFound)
		}
	case strings.HasPrefix(path, "session/destroy/"):
		c.sessions[last] = false
		if c.holder == last {
			c.holder, c.value = "", nil
		}
	case path == "kv/systole/shop/vote" && r.URL.Query().Has("acquire"):
		id := r.URL.Query().Get("acquire")
		free := c.sessions[id] && (c.holder == "" || c.holder == id)
		if free {
			c.holder, c.value = id, body
		}
		fmt.Fprint(w, free)
	case path == "kv/systole/shop/vote" && r.URL.Query().Has("release"):
		if c.holder == r.URL.Query().Get("release") {
			c.holder, c.value = "", nil
		}
		fmt.Fprint(w, true)
	case path == "kv/systole/shop/vote" && c.holder == "":
		http.Error(w, "", http.StatusNotFound)
	case path == "kv/systole/shop/vote":
		_ = json.NewEncoder(w).Encode([]map[string]any{{"Value": c.value, "Session": c.holder}})
	default:
		http.Error(w, path, http.StatusTeapot)
	}
}
