package control

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/agent/membership"
	"github.com/systole-ha/systole/agent/takeover"
)

// seen is alpha an hour after its start, with members as given.
func seen(members ...membership.View) core.Snapshot {
	return core.Snapshot{
		Now: t0, Started: t0.Add(-time.Hour), Self: "alpha", State: "active", Generation: 42,
		Links: []string{"eth0", "eth1"}, OwnLinks: []bool{true, false}, Members: members,
	}
}

func TestMargin(t *testing.T) {
	const s = time.Second
	heard := t0.Add(-4 * s)
	for _, tt := range []struct {
		name          string
		view          membership.View
		silence, left string
	}{
		{
			name:    "an active peer has what its silence leaves of its deadtime",
			view:    membership.View{State: "active", Heard: true, LastHeard: heard, Deadtime: 10 * s},
			silence: "4s", left: "6s",
		},
		{
			name:    "a peer that was paused with us can be beyond its deadtime and alive",
			view:    membership.View{State: "active", Heard: true, LastHeard: heard, Deadtime: 3 * s},
			silence: "4s", left: "-1s",
		},
		{
			name:    "a peer that said goodbye is waited for until its timer runs out",
			view:    membership.View{State: "leaving", Heard: true, LastHeard: heard, Deadtime: 10 * s},
			silence: "4s", left: "6s",
		},
		{
			name:    "one whose timer has run out has no margin",
			view:    membership.View{State: "unknown", Heard: true, LastHeard: heard, Deadtime: 3 * s},
			silence: "4s", left: "none",
		},
		{
			name:    "a dead peer has none",
			view:    membership.View{State: "dead", Heard: true, LastHeard: heard, Deadtime: 3 * s},
			silence: "4s", left: "none",
		},
		{
			name:    "a peer never heard is given up so long after our start",
			view:    membership.View{State: "unknown", Deadtime: time.Hour + 20*s},
			silence: "none", left: "20s",
		},
		{
			name:    "a message later than the picture ends no silence before it began",
			view:    membership.View{State: "active", Heard: true, LastHeard: t0.Add(time.Microsecond), Deadtime: 10 * s},
			silence: "0s", left: "10s",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.view.Name = "beta"
			st := describe(seen(tt.view), newFacts(), nil)
			m := st.Member("beta")
			text := func(s *Seconds) string {
				if s == nil {
					return "none"
				}
				return time.Duration(*s).String()
			}
			if silence, left := text(m.Silence), text(m.Margin); silence != tt.silence || left != tt.left {
				t.Errorf("silence %s, margin %s; want %s, %s", silence, left, tt.silence, tt.left)
			}
		})
	}
}

func TestNodesStandInTheOrderOfTheFile(t *testing.T) {
	s := seen(membership.View{Name: "beta"}, membership.View{Name: "p1", Ping: true}, membership.View{Name: "p2", Ping: true})
	for _, tt := range []struct {
		name, order, want string
	}{
		{"as the file has them", "p2 beta alpha p1", "p2 beta alpha p1"},
		{"this node, peers and ping nodes where no order is known", "", "alpha beta p1 p2"},
		{"what the file does not have comes last", "beta alpha", "beta alpha p1 p2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var names []string
			for _, m := range describe(s, newFacts(), strings.Fields(tt.order)).Nodes {
				names = append(names, m.Node)
			}
			if got := strings.Join(names, " "); got != tt.want {
				t.Errorf("nodes: got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestLinksOfMembers(t *testing.T) {
	f := told(
		event.HeartbeatReceived{Peer: "beta", Link: "eth0", RoundTrip: time.Millisecond},
		event.HeartbeatReceived{Peer: "beta", Link: "eth1", RoundTrip: time.Second}, // the link has died since
		event.PingAnswered{PingNode: "p", RoundTrip: 2 * time.Millisecond},
	)
	st := describe(seen(
		membership.View{Name: "beta", State: "active", Deadtime: 10 * time.Second, Links: []membership.LinkView{
			{Link: "eth0", Up: true, LastHeard: t0.Add(-time.Second)}, {Link: "eth1", LastHeard: t0.Add(-time.Minute)},
		}},
		membership.View{Name: "p", Ping: true, State: "ping"},
		membership.View{Name: "q", Ping: true, State: "dead"},
	), f, nil)
	second, minute := Seconds(time.Second), Seconds(time.Minute)
	for node, want := range map[string][]MemberLink{
		"alpha": {{Link: "eth0", Up: true}, {Link: "eth1"}},
		"beta":  {{Link: "eth0", Up: true, Silence: &second, RoundTrip: Seconds(time.Millisecond)}, {Link: "eth1", Silence: &minute}},
		"p":     {},
		"q":     {},
	} {
		got := slices.Clone(st.Member(node).Links)
		for i := range got {
			got[i].Recent = nil // TestRecent's
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("links of %s:\n got %+v\nwant %+v", node, got, want)
		}
	}
	if got := f.recently(route{"beta", "eth1"}, t0, nil, 0).Used; !slices.Equal(st.Member("beta").Links[1].Recent.Used, got) {
		t.Errorf("the silence of a dead link goes on: %v, want %v", st.Member("beta").Links[1].Recent.Used, got)
	}
	if got := st.Member("p").RoundTrip; got != Seconds(2*time.Millisecond) {
		t.Errorf("round trip of p: got %v", time.Duration(got))
	}
}

func TestHoldersOfGroups(t *testing.T) {
	s := seen()
	s.Takeover.Groups = []takeover.GroupView{
		{Key: "a", Holder: "alpha", Resources: []string{"a", "nginx"}, Drivers: []string{"ipaddr", "systemd"}},
		{Key: "b", Holder: "alpha beta"}, {Key: "c", Failure: "start c: no such unit", State: "failed"},
	}
	var got []string
	for _, g := range describe(s, newFacts(), nil).Groups {
		got = append(got, fmt.Sprint(g.Group, g.Holders, g.Resources, g.Failure))
	}
	want := []string{"a[alpha] [{a ipaddr} {nginx systemd}]", "b[alpha beta] []", "c[] []start c: no such unit"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("groups:\n got %q\nwant %q", got, want)
	}
}

func TestPeer(t *testing.T) {
	st := describe(seen(membership.View{Name: "p", Ping: true}, membership.View{Name: "beta"}), newFacts(), []string{"p", "alpha", "beta"})
	if got := st.Peer(); got == nil || got.Node != "beta" {
		t.Errorf("Peer is %+v, want beta", got)
	}
	if got := (&Status{}).Peer(); got != nil {
		t.Errorf("Peer of nobody is %+v", got)
	}
	if got := st.Member("gamma"); got != nil {
		t.Errorf("Member(gamma) is %+v", got)
	}
}

func TestSeconds(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0", time.Second: "1", 1500 * time.Millisecond: "1.5", 50 * time.Microsecond: "0.00005",
		-time.Second: "-1", time.Nanosecond: "0.000000001", 1000 * time.Hour: "3600000",
		10101050 * time.Microsecond: "10.10105",
	} {
		b, err := json.Marshal(Seconds(d))
		if err != nil || string(b) != want {
			t.Errorf("Seconds(%v) is %s, %v; want %s", d, b, err, want)
		}
		var back Seconds
		if err := json.Unmarshal(b, &back); err != nil || time.Duration(back) != d {
			t.Errorf("%s reads back as %v, %v; want %v", b, time.Duration(back), err, d)
		}
	}
	var s Seconds
	if err := json.Unmarshal([]byte(`"1"`), &s); err == nil {
		t.Error("a string is taken for seconds")
	}
}
