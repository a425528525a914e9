package core

import (
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/agent/membership"
	"github.com/systole-ha/systole/agent/wire"
)

// Our additions to heartbeat's messages are fields that begin with "sy"; a
// 3.0.6 node ignores them. Numbers are hexadecimal, as most of heartbeat's.
//
//	syv       version of this extension
//	sycluster name of the cluster
//	syrel     the daemon's version
//	sysent    when this was sent, µs of the sender's own clock
//	sylate    how late that was, µs
//	sywall    when this was sent by the sender's wall clock, µs of Unix time
//	syecho    for each link on which you were heard: sysent:µs held:link
//	syhg      the generation of yours that syecho is about
//	sycfg     hash of ha.cf                   (now and then)
//	syseed    random, for ids of incidents    (now and then)
//	syagain   1: this daemon ends and will be started again
//	symissed  trace of the incident in which you were called dead (until you are active again)
//	syhash, syhave, …                         see takeover.Describe
const extension = "1"

// rarely is how many heartbeats go between two that carry what rarely changes:
// a serial line of 19200 baud needs half a millisecond a byte.
const rarely = 10

// beat sends one heartbeat.
func (c *Core) beat(now time.Time) {
	m := wire.New(
		"t", "status",
		"st", c.status,
		"dt", strconv.FormatInt(c.cfg.Members.Deadtime.Milliseconds(), 16),
		"protocol", "1",
		"syv", extension,
		"sysent", c.stamp(now),
		"sywall", strconv.FormatInt(now.UnixMicro(), 16),
	)
	m.Grow(8 + described)
	late := max(0, now.Sub(c.nextBeat)) // many are sent before they are due
	c.emit(event.HeartbeatSent{Late: late})
	if late > 0 {
		m.Set("sylate", strconv.FormatInt(late.Microseconds(), 16))
	}
	if echo := c.echo(now); echo != "" {
		m.Set("syecho", echo)
		m.Set("syhg", strconv.FormatUint(c.peers[c.cfg.Members.Peers[0]].source.Generation, 16))
	}
	if c.ending {
		m.Set("syagain", "1")
	}
	for _, name := range c.cfg.Members.Peers {
		if trace := c.peers[name].missing; trace != "" {
			m.Set("symissed", trace) // with two nodes it is about the only peer
		}
	}
	if c.greet || c.status != membership.Active || c.sent.Next()%rarely == 0 {
		c.greet = false
		m.Set("syrel", c.cfg.Version)
		m.Set("sycfg", c.cfg.ConfigHash)
		m.SetBinary("syseed", c.seed[:])
	}
	// A node is heard no later than its leases were renewed: one that stands
	// still has lost them before its deadtime is over.
	c.out.Renew = c.permitted.Take
	c.send(now, &m)
}

// described is how many fields send and takeover.Describe add to a message at
// most.
const described = 18

// send gives a message its header and sends it. Messages whose type begins
// with NS_ have no number and are not kept.
func (c *Core) send(now time.Time, m *wire.Message) {
	numbered := !strings.HasPrefix(string(m.Get("t")), "NS_")
	m.Grow(described)
	if numbered {
		m.Set("sycluster", c.cfg.Cluster)
		c.takeover.Describe(now, m)
	}
	m.Set("src", c.cfg.Members.Self)
	m.SetBinary("srcuuid", c.cfg.UUID[:])
	if numbered {
		m.Set("seq", strconv.FormatUint(c.sent.Next(), 16))
	}
	m.Set("hg", strconv.FormatUint(c.cfg.Generation, 16))
	m.Set("ts", strconv.FormatInt(now.Unix(), 16))
	m.Set("ttl", strconv.Itoa(c.cfg.TTL))
	if numbered {
		c.sent.Keep(*m)
	}
	c.out.Send = append(c.out.Send, *m)
}

// stamp is an instant on our own clock: µs since this core began.
func (c *Core) stamp(t time.Time) string {
	return strconv.FormatInt(t.Sub(c.start).Microseconds(), 16)
}

// echo tells the peers when we last heard them on each link, and how long ago.
// Messages go to everybody; with two nodes there is one peer to echo.
func (c *Core) echo(now time.Time) string {
	b := make([]byte, 0, 64)
	for _, name := range c.cfg.Members.Peers {
		for link, e := range c.peers[name].echoes {
			if e.at.IsZero() {
				continue
			}
			if len(b) > 0 {
				b = append(b, ',')
			}
			b = append(append(b, e.stamp...), ':')
			b = append(strconv.AppendInt(b, max(0, now.Sub(e.at).Microseconds()), 16), ':')
			b = append(b, c.link(link)...)
		}
	}
	return string(b)
}

// roundTrip reads the peer's echo of us for the link that its message came by:
// from our stamp there and back, less the time it was held. 0 where there is
// none, or one that was used before. Links are matched by name, which both
// nodes are expected to use alike; a single link needs no name.
func (c *Core) roundTrip(p *peer, link int, at time.Time, echo []byte) time.Duration {
	only := len(c.cfg.Members.Links) == 1 && !strings.Contains(string(echo), ",")
	for entry := range strings.SplitSeq(string(echo), ",") {
		stamp, rest, _ := strings.Cut(entry, ":")
		held, name, ok := strings.Cut(rest, ":")
		if !ok || name != c.link(link) && !only {
			continue
		}
		sent, err1 := strconv.ParseInt(stamp, 16, 64)
		hold, err2 := strconv.ParseInt(held, 16, 64)
		if err1 != nil || err2 != nil || sent < 0 || hold < 0 || stamp == p.echoed[link] {
			return 0
		}
		p.echoed[link] = stamp
		trip := at.Sub(c.start) - time.Duration(sent)*time.Microsecond - time.Duration(hold)*time.Microsecond
		if trip <= 0 || trip > time.Hour {
			return 0
		}
		return trip
	}
	return 0
}

// microseconds reads a hexadecimal number of µs; 0 where there is none, and
// never more than an hour.
func microseconds(m *wire.Message, field string) time.Duration {
	n, ok := m.Hex(field)
	if !ok {
		return 0
	}
	return min(time.Duration(min(n, 1<<40))*time.Microsecond, time.Hour)
}

func (c *Core) uuid() string { return hex.EncodeToString(c.cfg.UUID[:]) }
