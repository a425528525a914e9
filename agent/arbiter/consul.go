package arbiter

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/systole-ha/systole/agent/permission"
)

// A Consul has its vote in Consul: a key locked by a session, by its HTTP API
// (developer.hashicorp.com, "Session HTTP API" and "KV Store").
//
// The TTL of a session begins when Consul takes in our request, and is the
// least it lasts. The session has no checks, since one that fails would end it
// before its time, and no lock-delay, since whoever held it counts for itself.
type Consul struct {
	store   Store
	http    *http.Client
	failed  error  // why there is no client
	session string // ours; "" for none
}

// NewConsul makes a client, which asks nothing before it is asked.
func NewConsul(s Store) *Consul {
	c, err := s.client()
	return &Consul{store: s, http: c, failed: err}
}

// Vote locks the key, or makes the lock last longer.
func (c *Consul) Vote(ctx context.Context, q permission.Question) permission.Answer {
	holder, err := c.vote(ctx, int64(q.Length.Seconds()))
	return permission.Answer{Granted: err == nil && holder == c.store.Node, Holder: holder, Err: err}
}

func (c *Consul) vote(ctx context.Context, seconds int64) (holder string, err error) {
	if err := c.live(ctx, seconds); err != nil {
		return "", err
	}
	var locked bool
	if err := c.do(ctx, http.MethodPut, c.key()+"?acquire="+c.session, []byte(c.store.Node), &locked); err != nil {
		return "", err
	}
	if locked {
		return c.store.Node, nil
	}
	var held []struct {
		Value   []byte
		Session string
	}
	err = c.do(ctx, http.MethodGet, c.key()+"?consistent", nil, &held)
	if refused(err, http.StatusNotFound) || err == nil && (len(held) == 0 || held[0].Session == "") {
		return "", nil // it has just been given back
	}
	if err != nil {
		return "", err
	}
	if holder = string(held[0].Value); holder == c.store.Node {
		// An earlier daemon of this node had it. It is free for the next question.
		return "", c.do(ctx, http.MethodPut, "session/destroy/"+held[0].Session, nil, nil)
	}
	return holder, nil
}

// live makes sure of a session that lasts seconds from now.
func (c *Consul) live(ctx context.Context, seconds int64) error {
	if c.session != "" {
		err := c.do(ctx, http.MethodPut, "session/renew/"+c.session, nil, nil)
		if !refused(err, http.StatusNotFound) {
			return err
		}
		c.session = ""
	}
	var created struct{ ID string }
	err := c.do(ctx, http.MethodPut, "session/create", map[string]any{
		"Name": "systole " + c.store.Node, "TTL": fmt.Sprintf("%ds", seconds), "LockDelay": "0s",
		"Behavior": "delete", "Checks": []string{}, "NodeChecks": []string{},
	}, &created)
	c.session = created.ID
	return err
}

// Release unlocks the key, if the lock is ours.
func (c *Consul) Release(ctx context.Context, _ permission.Question) error {
	if c.session == "" {
		return nil
	}
	return c.do(ctx, http.MethodPut, c.key()+"?release="+c.session, []byte(c.store.Node), nil)
}

// Probe asks whether there is a leader.
func (c *Consul) Probe(ctx context.Context) error {
	var leader string
	err := c.do(ctx, http.MethodGet, "status/leader", nil, &leader)
	if err == nil && leader == "" {
		err = fmt.Errorf("consul has no leader")
	}
	return err
}

// Close closes connections.
func (c *Consul) Close() {
	if c.http != nil {
		c.http.CloseIdleConnections()
	}
}

func (c *Consul) key() string { return "kv/" + (&url.URL{Path: c.store.Key}).EscapedPath() }

func (c *Consul) do(ctx context.Context, method, path string, body, reply any) error {
	if c.failed != nil {
		return c.failed
	}
	var header http.Header
	if token := c.store.Secret(); token != "" {
		header = http.Header{"X-Consul-Token": {token}}
	}
	return exchange(ctx, c.http, method, c.store.URLs[0]+"/v1/"+path, header, body, reply)
}
