package main

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	crand "crypto/rand"

	"github.com/prometheus/common/version"

	"github.com/systole-ha/systole/agent"
	"github.com/systole-ha/systole/agent/arbiter"
	"github.com/systole-ha/systole/agent/config"
	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/agent/link"
	"github.com/systole-ha/systole/agent/membership"
	"github.com/systole-ha/systole/agent/permission"
	"github.com/systole-ha/systole/agent/readiness"
	"github.com/systole-ha/systole/agent/takeover"
	"github.com/systole-ha/systole/resources"
)

// An identity is what makes this start of this node unlike any other.
type identity struct {
	generation uint64
	uuid       [16]byte
}

// identify reads who we are from the state folder. A disk that cannot be
// written must not keep a node from serving: then the Unix time counts the
// starts, and the node is a new one each time.
func (d *daemon) identify() (identity, error) {
	if err := os.MkdirAll(d.cfg.StateDir, 0o700); err != nil {
		d.log.Warn("no state folder", "err", err)
	}
	id, err := nodeUUID(d.cfg.StateDir)
	if err != nil {
		d.log.Warn("this node's uuid is not kept: it is a new node at every start", "err", err)
		if id == [16]byte{} {
			crand.Read(id[:])
		}
	}
	generation, err := nextGeneration(d.cfg.StateDir, heartbeatState, time.Now())
	if err != nil {
		d.log.Warn("the generation is not kept: the time is used instead", "generation", generation, "err", err)
	}
	if err := tellHeartbeat(heartbeatState, generation); err != nil {
		d.log.Warn("a Heartbeat that is started here again would be taken for a replay: remove its hb_generation before", "err", err)
	}
	return identity{generation, id}, nil
}

func hash(h uint64) string { return fmt.Sprintf("%012x", h) }

// coreConfig is the configuration as the judgement sees it.
func (d *daemon) coreConfig(id identity) core.Config {
	c := d.cfg
	cfg := core.Config{
		Cluster: c.Cluster, Version: cmp.Or(version.Version, "unknown"), AutoFailback: c.AutoFailback,
		Pings: c.IPFail && len(c.Pings) > 0,
		UUID:  id.uuid, Generation: id.generation, TTL: c.TTL(),
		ConfigHash: hash(c.ClusterHash), ResourcesHash: hash(c.ResourcesHash), Seed: rand.Uint64(),
		Members: membership.Config{
			Self: c.Self, Peers: c.Peers(),
			Keepalive: c.Keepalive, Warntime: c.Warntime, Deadtime: c.Deadtime, Initdead: c.Initdead, Deadping: c.Deadping,
		},
	}
	cfg.Fence = fencePlan(c)
	crand.Read(cfg.IncidentSeed[:])
	cfg.Permission = d.permission()
	for _, p := range c.Pings {
		cfg.Members.PingNodes = append(cfg.Members.PingNodes, p.Name)
	}
	for _, l := range c.Links {
		cfg.Members.Links = append(cfg.Members.Links, l.Name)
	}
	for _, g := range c.Groups {
		group := takeover.Group{Preferred: g.Preferred}
		for _, s := range g.Resources {
			name, driver, _ := d.registry.driver(s)
			_, announces := driver.(resources.Announcer)
			group.Resources = append(group.Resources, takeover.Resource{Spec: s, Driver: name, Announced: announces, Leased: leased(driver)})
		}
		cfg.Groups = append(cfg.Groups, group)
	}
	return cfg
}

// permission is what the judgement needs to know of the policy.
func (d *daemon) permission() permission.Config {
	c := d.cfg
	p := permission.Config{
		Policy: c.Permission, Deadtime: c.Deadtime, Initdead: c.Initdead, Keepalive: c.Keepalive, Lease: c.Lease(), Slack: c.Slack(),
		Length: c.VoteLength(),
	}
	for _, other := range c.Peers() {
		p.First = c.Self < other
	}
	for _, a := range c.Arbiters {
		if !c.Permission.Votes() {
			break
		}
		p.Voters = append(p.Voters, a.Name)
	}
	return p
}

func (d *daemon) agentConfig(id identity, sinks ...event.Sink) agent.Config {
	return agent.Config{
		Core: d.coreConfig(id), Keyring: d.cfg.Auth.Ring, Sinks: sinks,
		Open: func(h link.Handler) ([]link.Link, error) {
			return link.Open(d.cfg.Auth.Ring, h, media(d.cfg.Links)...)
		},
		Fence:  d.fences.fencer(d.cfg),
		Voters: d.voters(id),
		Pings:  pings(d.cfg.Pings), Leasers: d.registry.leasers(),
		Driver: func(s resources.Spec) resources.Driver {
			_, driver, _ := d.registry.driver(s)
			return driver
		},
		Timeout: func(op takeover.Operation) time.Duration {
			switch op {
			case takeover.Stop:
				return d.cfg.StopTimeout
			case takeover.Start:
				return d.cfg.StartTimeout
			}
			return lookTimeout
		},
	}
}

// voters are the arbiters as this node reaches them.
func (d *daemon) voters(id identity) []agent.Voter {
	var voters []agent.Voter
	for _, a := range d.cfg.Arbiters {
		switch {
		case !d.cfg.Permission.Votes():
		case a.Kind == config.SystoleArbiter:
			voters = append(voters, arbiter.New(a.Addresses[0], d.cfg.Cluster, d.cfg.Self, id.generation, d.cfg.Auth.Ring))
		case a.Kind == config.EtcdArbiter:
			voters = append(voters, arbiter.NewEtcd(d.store(a)))
		case a.Kind == config.ConsulArbiter:
			voters = append(voters, arbiter.NewConsul(d.store(a)))
		}
	}
	return voters
}

// store is an etcd or Consul with the key of this cluster.
func (d *daemon) store(a config.Arbiter) arbiter.Store {
	return arbiter.Store{
		URLs: a.Addresses, Key: "systole/" + d.cfg.Cluster + "/vote", Node: d.cfg.Self, CA: a.CA, Cert: a.Cert, Pem: a.Key,
		Secret: func() string {
			for _, secret := range a.Secret.Values() {
				return string(secret)
			}
			return ""
		},
	}
}

func leased(driver resources.Driver) bool {
	l, ok := driver.(resources.Leaser)
	return ok && l.Lease() > 0
}

// lookTimeout bounds what neither starts nor stops anything: a look at a
// resource, an announcement. Systemd does not answer for a third of a second
// while it reloads.
const lookTimeout = 10 * time.Second

func media(links []config.Link) []link.Medium {
	var media []link.Medium
	for _, l := range links {
		switch l.Kind {
		case config.Bcast:
			media = append(media, link.Broadcast{Device: l.Device, Port: l.Port})
		case config.Mcast, config.Mcast6:
			media = append(media, link.Multicast{Device: l.Device, Group: l.Group, Port: l.Port, TTL: l.TTL, Loop: l.Loop})
		case config.Ucast, config.Ucast6:
			media = append(media, link.Unicast{Device: l.Device, Target: l.Target, Port: l.Port, IPv6: l.Kind == config.Ucast6})
		case config.Serial:
			media = append(media, link.Serial{Device: l.Device, Baud: l.Baud})
		}
	}
	return media
}

func pings(configured []config.Ping) []link.Ping {
	var pings []link.Ping
	for _, p := range configured {
		pings = append(pings, link.Ping{Name: p.Name, Targets: p.Targets, IPv6: p.IPv6})
	}
	return pings
}

// A node answers the control socket.
type node struct {
	*agent.Agent
	cfg     *config.Config
	checker *readiness.Checker
}

// Ready looks whether a takeover here would work.
func (n node) Ready(ctx context.Context) (readiness.Report, error) { return n.checker.Ask(ctx) }

// Parameter is a directive of ha.cf as written.
func (n node) Parameter(name string) (string, bool) { return n.cfg.Parameter(name) }

func bootID() string {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
