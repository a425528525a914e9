package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	sd "github.com/coreos/go-systemd/v22/daemon"

	"github.com/systole-ha/systole/agent/config"
	"github.com/systole-ha/systole/agent/event"
)

// A notifier tells systemd how the daemon is: READY once the links are open,
// STATUS lines for people, WATCHDOG while the loop has its turn. It is an
// event.Sink; what it sends leaves from a goroutine of its own.
type notifier struct {
	links    map[string]bool // by name: two ucast lines of one interface share theirs
	open     map[string]bool
	waiting  map[string]string // link: why
	ready    bool
	hold     string
	peers    map[string]string
	messages chan string
}

// statusesWaiting bounds the notes on their way to systemd. Only the newest
// STATUS matters; READY is sent once and must find room.
const statusesWaiting = 16

func newNotifier(links []config.Link) *notifier {
	names := map[string]bool{}
	for _, l := range links {
		names[l.Name] = true
	}
	return &notifier{
		links: names, open: map[string]bool{}, waiting: map[string]string{}, peers: map[string]string{},
		hold: "transition", messages: make(chan string, statusesWaiting),
	}
}

// Record takes note of what is worth telling.
func (n *notifier) Record(r event.Record) {
	switch e := r.Event.(type) {
	case event.LinkOpened:
		n.open[e.Link] = true
		delete(n.waiting, e.Link)
	case event.LinkClosed:
		delete(n.open, e.Link)
		n.waiting[e.Link] = e.Error
	case event.HoldChanged:
		n.hold = e.To
	case event.PeerStateChanged:
		n.peers[e.Peer] = e.To
	case event.NodeRestarting:
		n.send(sd.SdNotifyStopping + "\nSTATUS=restarting: nothing is given up")
		return
	case event.NodeStopping:
		n.send(sd.SdNotifyStopping + "\nSTATUS=handing over")
		return
	default:
		return
	}
	// A link that cannot be opened yet is waited for, but must not keep the
	// others from being used.
	if !n.ready && len(n.open) > 0 && len(n.open)+len(n.waiting) >= len(n.links) {
		n.ready = true
		n.send(sd.SdNotifyReady + "\nSTATUS=" + n.status())
		return
	}
	n.send("STATUS=" + n.status())
}

func (n *notifier) status() string {
	words := []string{"holds " + n.hold}
	for _, name := range sortedKeys(n.peers) {
		words = append(words, fmt.Sprintf("%s is %s", name, n.peers[name]))
	}
	for _, name := range sortedKeys(n.waiting) {
		words = append(words, fmt.Sprintf("link %s waits: %s", name, n.waiting[name]))
	}
	return strings.Join(words, "; ")
}

func sortedKeys(m map[string]string) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// send queues a note; a full queue loses its oldest.
func (n *notifier) send(note string) {
	for {
		select {
		case n.messages <- note:
			return
		default:
		}
		select {
		case old := <-n.messages:
			if strings.HasPrefix(old, sd.SdNotifyReady) {
				note = sd.SdNotifyReady + "\n" + note
			}
		default:
		}
	}
}

// run sends what is queued, and a sign of life twice in the time that systemd
// allows (WatchdogSec), as long as alive returns in time.
func (n *notifier) run(ctx context.Context, alive func(context.Context) error) {
	limit, err := sd.SdWatchdogEnabled(false)
	var beat <-chan time.Time
	if err == nil && limit > 0 {
		ticker := time.NewTicker(limit / 2)
		defer ticker.Stop()
		beat = ticker.C
	}
	for {
		select {
		case note := <-n.messages:
			sd.SdNotify(false, note)
		case <-beat:
			asked, cancel := context.WithTimeout(ctx, limit/2)
			if alive(asked) == nil {
				sd.SdNotify(false, sd.SdNotifyWatchdog)
			}
			cancel()
		case <-ctx.Done():
			return
		}
	}
}
