package arbiter

import (
	"context"

	"io"
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/permission"
	"github.com/systole-ha/systole/agent/wire"
)

func ring(t testing.TB, secret string) *wire.Keyring {
	t.Helper()
	r, err := wire.NewKeyring(1, []wire.Key{{Number: 1, Method: wire.SHA1, Secret: []byte(secret)}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// serve runs a server that has been there for a long time, and returns its
// address.
func serve(t *testing.T, s *Server, address string) string {
	t.Helper()
	a, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.ListenUDP("udp", a)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, conn) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return conn.LocalAddr().String()
}

func server(t testing.TB, clusters map[string]*wire.Keyring) *Server {
	s := NewServer(slog.New(slog.NewTextHandler(io.Discard, nil)))
	s.start = s.start.Add(-time.Hour)
	s.SetClusters(clusters)
	return s
}

func ask(t *testing.T, c *Client, want permission.Want, number uint64, length time.Duration) permission.Answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	q := permission.Question{Want: want, Number: number, Length: length}
	if want == permission.Release {
		return permission.Answer{Err: c.Release(ctx, q)}
	}
	return c.Vote(ctx, q)
}

func TestOneVote(t *testing.T) {
	keys := ring(t, "secret")
	address := serve(t, server(t, map[string]*wire.Keyring{"shop": keys, "other": ring(t, "another")}), "127.0.0.1:0")
	alpha, beta := New(address, "shop", "alpha", 1, keys), New(address, "shop", "beta", 1, keys)
	stranger := New(address, "other", "alpha", 1, ring(t, "another"))
	defer alpha.Close()
	defer beta.Close()
	defer stranger.Close()

	steps := []struct {
		name    string
		client  *Client
		want    permission.Want
		number  uint64
		granted bool
		holder  string
	}{
		{"alpha gets it", alpha, permission.Vote, 1, true, "alpha"},
		{"beta does not, and is told who has it", beta, permission.Vote, 1, false, "alpha"},
		{"alpha keeps it", alpha, permission.Vote, 2, true, "alpha"},
		{"what is not beta's it cannot give back", beta, permission.Release, 2, false, ""},
		{"another cluster has a vote of its own", stranger, permission.Vote, 1, true, "alpha"},
		{"alpha gives it back", alpha, permission.Release, 3, false, ""},
		{"beta gets it", beta, permission.Vote, 3, true, "beta"},
		{"an old question of alpha's changes nothing", alpha, permission.Vote, 2, false, "beta"},
		{"nor does an old release of beta's", beta, permission.Release, 2, false, ""},
		{"so beta has it", alpha, permission.Vote, 4, false, "beta"},
	}
	for _, s := range steps {
		got := ask(t, s.client, s.want, s.number, time.Minute)
		if got.Err != nil || got.Granted != s.granted || got.Holder != s.holder {
			t.Errorf("%s: got %+v, want granted %v, holder %q", s.name, got, s.granted, s.holder)
		}
		if s.want == permission.Vote && !s.granted && s.holder != "" && s.number > 2 && (got.Left <= 0 || got.Left > time.Minute) {
			t.Errorf("%s: for %s more, want up to a minute", s.name, got.Left)
		}
	}
}

func TestWhoIsNotAnswered(t *testing.T) {
	keys := ring(t, "secret")
	address := serve(t, server(t, map[string]*wire.Keyring{"shop": keys}), "127.0.0.1:0")
	for name, c := range map[string]*Client{
		"one with another key":          New(address, "shop", "alpha", 1, ring(t, "guess")),
		"one of a cluster not known":    New(address, "bank", "alpha", 1, keys),
		"one that asks where nobody is": New("127.0.0.1:9", "shop", "alpha", 1, keys),
	} {
		if got := ask(t, c, permission.Vote, 1, time.Minute); got.Err == nil || got.Granted {
			t.Errorf("%s: got %+v, want an error", name, got)
		}
		c.Close()
	}
}

// TestRestart sees that an arbiter that has forgotten everything lends nothing
// for two lengths of the vote, and that what was said to the last one is void.
func TestRestart(t *testing.T) {
	keys := ring(t, "secret")
	clusters := map[string]*wire.Keyring{"shop": keys}
	first, second := server(t, clusters), server(t, clusters)
	second.start = time.Now()
	second.clusters["shop"].book = permission.NewBook(second.start)
	codec := keys.NewCodec()
	put := func(s *Server, now time.Time, q question) answer {
		m := q.message()
		var reply wire.Message
		if err := codec.Decode(s.Answer(nil, now, codec.Append(nil, &m, wire.Netstring), netip.AddrPort{}), &reply); err != nil {
			t.Fatal(err)
		}
		a, ok := readAnswer(&reply)
		if !ok {
			t.Fatal("no answer")
		}
		return a
	}
	now := time.Now()
	q := question{cluster: "shop", node: "alpha", want: permission.Vote, number: 1, length: 10 * time.Second, run: first.run, nonce: "x"}
	if a := put(first, now, q); !a.granted {
		t.Errorf("the first: %+v, want it granted", a)
	}
	if a := put(second, now, q); a.granted || !a.stale {
		t.Errorf("a question that was for the first: %+v, want it stale", a)
	}
	q.run = second.run
	if a := put(second, now.Add(19*time.Second), q); a.granted || a.left <= 0 {
		t.Errorf("19 s after the start: %+v, want it refused for a while", a)
	}
	q.number++
	if a := put(second, now.Add(21*time.Second), q); !a.granted {
		t.Errorf("21 s after the start: %+v, want it granted", a)
	}
}

// TestClientFollowsARestart sees that a client learns of the new run by itself.
func TestClientFollowsARestart(t *testing.T) {
	keys := ring(t, "secret")
	s := server(t, map[string]*wire.Keyring{"shop": keys})
	c := New(serve(t, s, "127.0.0.1:0"), "shop", "alpha", 1, keys)
	defer c.Close()
	if got := ask(t, c, permission.Vote, 1, time.Minute); !got.Granted {
		t.Fatalf("got %+v", got)
	}
	s.mu.Lock()
	s.run = random()
	s.mu.Unlock()
	if got := ask(t, c, permission.Vote, 2, time.Minute); !got.Granted {
		t.Errorf("after a restart: %+v", got)
	}
}

func FuzzAnswer(f *testing.F) {
	keys := ring(f, "secret")
	s := server(f, map[string]*wire.Keyring{"shop": keys})
	codec := keys.NewCodec()
	q := question{cluster: "shop", node: "alpha", want: permission.Vote, number: 1, length: time.Second, run: s.run, nonce: "x"}
	for want := range wants {
		q.want = want
		m := q.message()
		f.Add([]byte(m.String()), codec.Append(nil, &m, wire.Netstring))
	}
	f.Fuzz(func(t *testing.T, _, datagram []byte) {
		s.Answer(nil, time.Now(), datagram, netip.AddrPort{})
		var m wire.Message
		if codec.Decode(datagram, &m) == nil {
			readQuestion(&m)
			readAnswer(&m)
		}
	})
}

// FuzzQuestion reads fields that are authentic and may be anything.
func FuzzQuestion(f *testing.F) {
	f.Add("shop", "alpha", "vote", "1", "3e8", "", "x")
	f.Fuzz(func(t *testing.T, cluster, node, want, number, length, run, nonce string) {
		m := wire.Message{}
		for name, value := range map[string]string{"t": asks, "cluster": cluster, "src": node, "want": want, "n": number, "length": length, "run": run, "nonce": nonce} {
			m.Set(name, value)
		}
		if q, ok := readQuestion(&m); ok && (q.length < 0 || q.length > maxLength || q.node == "" || q.want == permission.Vote && q.length == 0) {
			t.Errorf("%+v is taken for a question", q)
		}
	})
}
