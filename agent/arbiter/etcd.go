package arbiter

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/systole-ha/systole/agent/permission"
)

// An Etcd has its vote in etcd: a key with a lease, by the JSON gateway of its
// version 3 API (etcd.io/docs, "gRPC gateway").
//
// A lease begins when etcd takes in our request, which is after we sent it, and
// a change of leader makes it longer: so the vote lasts no less than we count.
type Etcd struct {
	store  Store
	http   *http.Client
	first  int    // of the URLs, that answered last
	token  string // of the user
	lease  string // ours; "" for none
	failed error  // why there is no client
}

// NewEtcd makes a client, which asks nothing before it is asked.
func NewEtcd(s Store) *Etcd {
	c, err := s.client()
	return &Etcd{store: s, http: c, failed: err}
}

// Vote takes the key, or makes it last longer.
func (e *Etcd) Vote(ctx context.Context, q permission.Question) permission.Answer {
	holder, err := e.vote(ctx, int64(q.Length.Seconds()))
	return permission.Answer{Granted: err == nil && holder == e.store.Node, Holder: holder, Err: err}
}

func (e *Etcd) vote(ctx context.Context, seconds int64) (holder string, err error) {
	if err := e.live(ctx, seconds); err != nil {
		return "", err
	}
	put := map[string]any{"request_put": map[string]any{"key": []byte(e.store.Key), "value": []byte(e.store.Node), "lease": e.lease}}
	look := map[string]any{"request_range": map[string]any{"key": []byte(e.store.Key)}}
	free := map[string]any{"key": []byte(e.store.Key), "target": "CREATE", "result": "EQUAL", "create_revision": "0"}
	for _, condition := range []any{free, e.ours()} {
		// What is ours already is put again: it may hang on the lease of an
		// earlier daemon of this node.
		reply, err := e.transact(ctx, condition, put, look)
		if err != nil || reply.Succeeded {
			return e.store.Node, err
		}
		if holder = reply.holder(); holder != e.store.Node {
			return holder, nil
		}
	}
	return "", nil // it has just changed hands
}

// live makes sure of a lease that lasts seconds from now.
func (e *Etcd) live(ctx context.Context, seconds int64) error {
	if e.lease != "" {
		var kept struct {
			Result struct {
				TTL int64 `json:",string"`
			}
		}
		if err := e.post(ctx, "lease/keepalive", map[string]any{"ID": e.lease}, &kept); err != nil {
			return err
		}
		if kept.Result.TTL >= seconds {
			return nil
		}
	}
	var granted struct{ ID string }
	err := e.post(ctx, "lease/grant", map[string]any{"TTL": seconds}, &granted)
	e.lease = granted.ID
	return err
}

func (e *Etcd) ours() any {
	return map[string]any{"key": []byte(e.store.Key), "target": "VALUE", "result": "EQUAL", "value": []byte(e.store.Node)}
}

// Release deletes the key, if it is ours.
func (e *Etcd) Release(ctx context.Context, _ permission.Question) error {
	_, err := e.transact(ctx, e.ours(), map[string]any{"request_delete_range": map[string]any{"key": []byte(e.store.Key)}}, nil)
	return err
}

// Probe reads the key.
func (e *Etcd) Probe(ctx context.Context) error {
	return e.post(ctx, "kv/range", map[string]any{"key": []byte(e.store.Key)}, nil)
}

// Close closes connections.
func (e *Etcd) Close() {
	if e.http != nil {
		e.http.CloseIdleConnections()
	}
}

// A transacted is what became of a transaction.
type transacted struct {
	Succeeded bool
	Responses []struct {
		Range struct {
			KVs []struct{ Value []byte }
		} `json:"response_range"`
	}
}

func (t transacted) holder() string {
	for _, r := range t.Responses {
		for _, kv := range r.Range.KVs {
			return string(kv.Value)
		}
	}
	return ""
}

func (e *Etcd) transact(ctx context.Context, condition, success, failure any) (reply transacted, err error) {
	body := map[string]any{"compare": []any{condition}, "success": []any{success}}
	if failure != nil {
		body["failure"] = []any{failure}
	}
	return reply, e.post(ctx, "kv/txn", body, &reply)
}

// post sends one request, with a new token where the old one is refused, to
// whichever URL answers.
func (e *Etcd) post(ctx context.Context, path string, body, reply any) error {
	if e.failed != nil {
		return e.failed
	}
	var err error
	for i := range e.store.URLs {
		at := (e.first + i) % len(e.store.URLs)
		err = e.authorised(ctx, e.store.URLs[at]+"/v3/", path, body, reply)
		if status := (*errStatus)(nil); err == nil || errors.As(err, &status) && status.code < 500 {
			e.first = at
			break
		}
	}
	return err
}

func (e *Etcd) authorised(ctx context.Context, base, path string, body, reply any) error {
	err := exchange(ctx, e.http, http.MethodPost, base+path, e.header(), body, reply)
	secret := e.store.Secret()
	if secret == "" || !refused(err, http.StatusUnauthorized) && !refused(err, http.StatusBadRequest) {
		return err
	}
	name, password, _ := strings.Cut(secret, ":")
	var login struct{ Token string }
	if err := exchange(ctx, e.http, http.MethodPost, base+"auth/authenticate", nil, map[string]string{"name": name, "password": password}, &login); err != nil {
		return err
	}
	e.token = login.Token
	return exchange(ctx, e.http, http.MethodPost, base+path, e.header(), body, reply)
}

func (e *Etcd) header() http.Header {
	if e.token == "" {
		return nil
	}
	return http.Header{"Authorization": {e.token}}
}
