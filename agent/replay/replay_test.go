package replay

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/agent/membership"
	"github.com/systole-ha/systole/agent/takeover"
	"github.com/systole-ha/systole/agent/wire"
	"github.com/systole-ha/systole/resources"
)

var update = flag.Bool("update", false, "rewrite the transcripts and docs/compat.md")

// md5 is the key of most recordings.
var md5 = []wire.Key{{Number: 3, Method: wire.MD5, Secret: []byte("mot_de_passe")}}

// A pair is two nodes with one configuration, and what they lived through.
type pair struct {
	failback bool
	ping     bool // ipfail, with one ping node
	only     string
	history  History
}

const (
	second = time.Second

	restarted = "the real nodes have restarted; what they say from here on they say to one that holds nothing"
)

// The recordings, in the order in which they were made. Before each pair's first
// both nodes were off.
func pairs() []pair {
	return []pair{
		{failback: true, history: History{
			{Name: "startup_both", Says: "both nodes are started together"},
			{Name: "standby_all", Says: "`hb_standby all` on h1", Wishes: []Wish{{"h1", "ask_resources all me", Standby("all")}}},
			{Name: "takeover_all", Says: "`hb_takeover all` on h1", Wishes: []Wish{{"h1", "hb_takeover all", Takeover("all")}}},
			{Name: "standby_foreign", Says: "`hb_standby foreign` on h1", Wishes: []Wish{{"h1", "ask_resources foreign me", Standby("foreign")}}},
			{Name: "standby_local", Says: "`hb_standby local` on h1", Wishes: []Wish{{"h1", "ask_resources local me", Standby("local")}}},
			{Name: "takeover_local", Says: "`hb_takeover local` on h1", Wishes: []Wish{{"h1", "hb_takeover local", Takeover("local")}}},
			{Name: "clean_stop", Says: "h1 is stopped", Wishes: []Wish{{"h1", "resource none 0 shutdown", Stop()}}},
			{Name: "rejoin_failback_on", Says: "h1 is started again"},
			{Name: "death", Says: "the power of h1 is cut", Wishes: []Wish{{"h1", "", PowerOff()}}},
			{Name: "boot_after_death_failback_on", Says: "h1 is started again"},
			{Name: "stop_both", Says: "both nodes are stopped", Wishes: []Wish{{"h1", "", Stop()}, {"h2", "", Stop()}}},
		}},
		{history: History{
			{Name: "startup_both_failback_off", Says: "both nodes are started together"},
			{Name: "death_failback_off", Says: "the power of h1 is cut", Wishes: []Wish{{"h1", "", PowerOff()}}},
			{Name: "rejoin_failback_off", Says: "h1 is started again"},
			{Name: "gap_rexmit", Says: "h1 is cut off for 3.6 s, which is less than deadtime", Cut: []Span{{-500 * time.Millisecond, 3850 * time.Millisecond}}},
			{Name: "one_link_dead", Says: "the second link is cut for 7 s, and this is the first"},
			{Name: "partition_heal", Says: "h1 is cut off for 9 s", Cut: []Span{{100 * time.Millisecond, 10 * second}}, Until: map[string]Until{
				"h1": {20900 * time.Millisecond, restarted}, "h2": {20900 * time.Millisecond, restarted},
			}},
		}},
		{failback: true, history: History{
			{Name: "start_alone", Says: "only h1 is started, and told `hb_standby all` at 17 s", Wishes: []Wish{{"h1", "ask_resources all me", Standby("all")}}},
		}},
		{failback: true, history: History{
			{Name: "legacy_startup", Says: "both nodes are started together; `hb_standby all` on h1 at 19 s", Wishes: []Wish{{"h1", "ask_resources all me", Standby("all")}}},
			{Name: "legacy_stop_start", Says: "h1 is stopped and started again", Wishes: []Wish{{"h1", "", Stop()}}},
		}},
		{failback: true, history: History{
			{
				Name: "netstring_sha1", Says: "both nodes are started together; `hb_standby local` on h2",
				Keys:   []wire.Key{{Number: 2, Method: wire.SHA1, Secret: []byte("cle-secrete-2")}},
				Wishes: []Wish{{"h2", "ask_resources local me", Standby("local")}},
			},
		}},
		{failback: true, history: History{
			{
				Name: "crc", Says: "both nodes are started together; `hb_standby local` on h2",
				Keys:   []wire.Key{{Number: 1, Method: wire.CRC}},
				Wishes: []Wish{{"h2", "ask_resources local me", Standby("local")}},
			},
			{
				Name: "rekey", Says: "the key is changed on h1, four seconds later on h2",
				Keys:  []wire.Key{{Number: 1, Method: wire.CRC}, {Number: 2, Method: wire.SHA1, Secret: []byte("nouvelle")}},
				Signs: []Sign{{"h1", 2500 * time.Millisecond, []int{1, 0}}, {"h2", 6500 * time.Millisecond, []int{1, 0}}},
			},
		}},
		{failback: true, history: History{
			{
				Name: "bad_key", Says: "both nodes are started together with different keys",
				Keys:  []wire.Key{md5[0], {Number: 3, Method: wire.MD5, Secret: []byte("mauvais")}},
				Signs: []Sign{{"h2", 0, []int{1}}},
			},
		}},
		{failback: true, ping: true, history: History{
			{
				Name: "ipfail_ping", Says: "both nodes are started together; h1 loses the ping node at 29 s",
				Deaf:  map[string]Span{"h1": {29 * second, time.Hour}},
				Until: map[string]Until{"h1": {37900 * time.Millisecond, "the real h2 agrees to a standby of all, which systole did not ask for"}},
			},
		}},
		{failback: true, history: History{{Name: "mcast", Says: "both nodes are started together, by multicast"}}},
		{failback: true, history: History{{Name: "ucast", Says: "both nodes are started together, by unicast"}}},
		{failback: true, only: "h1", history: History{
			{Name: "fake_peer", Says: "h2 is a script: both start, h2 stops, returns, goes standby, falls silent"},
		}},
		{failback: true, history: History{
			{Name: "failed_start", Says: "both nodes are started together; the service of h1 does not start", Broken: "broken.service", Until: map[string]Until{
				"h1": {43 * second, "the real h2 agrees to a standby of foreign, which systole did not ask for"},
			}},
		}},
		{failback: true, history: History{
			{Name: "failed_start", Prelude: true, Until: map[string]Until{"h1": {At: 20 * second}, "h2": {At: 20 * second}}},
			{Name: "takeover_failback", Says: "`hb_takeover failback` on h1", Wishes: []Wish{{"h1", "hb_takeover failback", Takeover("local")}}},
			{Name: "quick_restart", Says: "the daemon of h1 is killed and started again within deadtime", Wishes: []Wish{{"h1", "", Kill()}}},
		}},
	}
}

// configure is the configuration of one node of the recordings.
func (p pair) configure(self, peer string) core.Config {
	group := func(node string, words ...string) takeover.Group {
		g := takeover.Group{Preferred: node}
		for _, word := range words {
			spec, err := resources.ParseSpec(word)
			if err != nil {
				panic(err)
			}
			r := takeover.Resource{Spec: spec, Driver: "systemd"}
			if spec.Name == "IPaddr" {
				r.Driver, r.Announced = "ipaddr", true
			}
			g.Resources = append(g.Resources, r)
		}
		return g
	}
	cfg := core.Config{
		Cluster: "replay", Version: "replay", AutoFailback: p.failback, TTL: 3, Pings: p.ping, ConfigHash: "c", ResourcesHash: "r",
		Members: membership.Config{
			Self: self, Peers: []string{peer}, Links: []string{"eth0"},
			Keepalive: second, Warntime: 3 * second, Deadtime: 5 * second, Initdead: 10 * second, Deadping: 5 * second,
		},
		Groups: []takeover.Group{
			group("h1", "IPaddr::192.0.2.100/24/eth0", "broken.service"),
			group("h2", "IPaddr::192.0.2.101/24/eth0", "sound.service"),
		},
	}
	if p.ping {
		cfg.Members.PingNodes = []string{"192.0.2.1"}
	}
	copy(cfg.UUID[:], self)
	return cfg
}

// play plays every recording from both sides.
func play(t *testing.T) []Side {
	t.Helper()
	var sides []Side
	for _, p := range pairs() {
		for _, c := range p.history {
			if c.Keys == nil {
				c.Keys = md5
			}
			capture, err := os.ReadFile(filepath.Join("testdata", c.Name+".pcap"))
			if err != nil {
				t.Fatal(err)
			}
			if c.Recording, err = Read(capture, c.Keys); err != nil {
				t.Fatalf("%s: %v", c.Name, err)
			}
		}
		for _, nodes := range [][2]string{{"h1", "h2"}, {"h2", "h1"}} {
			if p.only != "" && p.only != nodes[0] || !p.history.has(nodes[0]) {
				continue
			}
			played, err := Play(p.history, nodes[0], nodes[1], p.configure)
			if err != nil {
				t.Fatal(err)
			}
			sides = append(sides, played...)
		}
	}
	return sides
}

// has reports whether a node ever says anything.
func (h History) has(node string) bool {
	for _, c := range h {
		if c.first(node) != nil {
			return true
		}
	}
	return false
}

func TestRecordedConversations(t *testing.T) {
	used := map[string]bool{}
	texts := map[string]string{}
	for _, s := range play(t) {
		rows := s.Compare(reasons)
		for _, u := range Undeclared(rows) {
			t.Errorf("%s, systole as %s: %s, and no reason is given", s.Name, s.Node, u)
		}
		for _, r := range rows {
			if r.Reason != nil {
				used[r.Reason.Name] = true
			}
		}
		if s.Unacked > 50 { // of the 250 that a real node bears
			t.Errorf("%s, systole as %s: %d messages in a row were not acknowledged: a real node keeps them all", s.Name, s.Node, s.Unacked)
		}
		if texts[s.Name] == "" {
			texts[s.Name] = fmt.Sprintf("%s: %s\n", s.Name, s.Says)
		}
		texts[s.Name] += s.Transcript(rows)
	}
	for _, r := range reasons {
		if !used[r.Name] {
			t.Errorf("the difference %q does not occur any more", r.Name)
		}
	}
	for name, text := range texts {
		golden(t, filepath.Join("testdata", name+".txt"), text)
	}
}

// TestEveryRecordingIsPlayed finds a capture that no pair has.
func TestEveryRecordingIsPlayed(t *testing.T) {
	files, err := filepath.Glob("testdata/*.pcap")
	if err != nil || len(files) != 31 {
		t.Errorf("%d recordings, want 31 (%v)", len(files), err)
	}
	played := map[string]bool{}
	for _, p := range pairs() {
		for _, c := range p.history {
			played[c.Name] = played[c.Name] || !c.Prelude
		}
	}
	for _, file := range files {
		if name := strings.TrimSuffix(filepath.Base(file), ".pcap"); !played[name] {
			t.Errorf("%s is not played", name)
		}
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Error(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test -update rewrites it)\n got\n%s\nwant\n%s", file, got, want)
	}
}
