package core

import (
	"strconv"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/membership"
	"github.com/systole-ha/systole/agent/wire"
)

func TestSignsWithTheKeyOfAHeartbeatPeer(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	c, out := New(Config{
		Generation: 1, TTL: 3,
		Members: membership.Config{
			Self: "alpha", Peers: []string{"beta"}, Links: []string{"eth0"},
			Keepalive: time.Second, Warntime: 5 * time.Second, Deadtime: 10 * time.Second, Initdead: 20 * time.Second,
		},
	}, at)
	if out.Key != OwnKey {
		t.Errorf("nobody has been heard, and the key is %d, want our own", out.Key)
	}
	number := uint64(0)
	hear := func(kind string, key int, generation string, more ...string) Output {
		number++
		at = at.Add(time.Millisecond)
		m := wire.New(append([]string{"t", kind, "st", "active", "src", "beta", "ts", "1", "hg", generation, "seq", strconv.FormatUint(number, 16)}, more...)...)
		return c.Step(at, Received{At: at, Message: &m, Key: key})
	}
	for _, tt := range []struct {
		when string
		out  Output
		want int
	}{
		{"a Heartbeat node signs with key 2", hear("status", 2, "5"), 2},
		{"its line auth has moved to key 3", hear("resource", 3, "5"), 3},
		{"somebody replays what it signed before, with key 1", hear("status", 1, "4"), 3},
		{"it has been replaced by systole", hear("status", 3, "6", "syv", "1"), OwnKey},
		{"and moves its line auth", hear("status", 2, "6", "syv", "1"), OwnKey},
	} {
		if tt.out.Key != tt.want {
			t.Errorf("%s: we sign with %d, want %d", tt.when, tt.out.Key, tt.want)
		}
	}
}
