package main

import (
	"encoding/hex"
	"fmt"
	"runtime"
	"slices"

	"github.com/prometheus/common/version"

	"github.com/systole-ha/systole/agent/config"
	"github.com/systole-ha/systole/exporters/journal"
	"github.com/systole-ha/systole/exporters/metrics"
	"github.com/systole-ha/systole/exporters/traces"
)

// allNodes are the nodes of the cluster in the order of ha.cf, ping nodes last.
func (d *daemon) allNodes() []string {
	names := append([]string(nil), d.cfg.Nodes...)
	for _, p := range d.cfg.Pings {
		names = append(names, p.Name)
	}
	return names
}

// metricsConfig is what the metrics know before the first event.
func (d *daemon) metricsConfig(id identity, j *journal.Journal, spans *traces.Traces, others *receivers) metrics.Config {
	c := d.cfg
	m := metrics.Config{
		Cluster: c.Cluster, Node: c.Self,
		Build: metrics.Build{
			Version: version.Version, Revision: version.GetRevision(), Branch: version.Branch,
			GoVersion: version.GoVersion, GoOS: runtime.GOOS, GoArch: runtime.GOARCH, Tags: version.GetTags(),
		},
		BootID: bootID(), InstanceID: hex.EncodeToString(id.uuid[:]), AutoFailback: onOff(c.AutoFailback), Wire: "systole",
		Keepalive: c.Keepalive, Warntime: c.Warntime, Deadtime: c.Deadtime, Initdead: c.Initdead,
		Peers: c.Peers(), IPFail: c.IPFail, Watchdog: c.Watchdog != "",
		Files: []metrics.File{
			{Name: config.HaCf, Hash: hash(c.ClusterHash)},
			{Name: config.Haresources, Hash: hash(c.ResourcesHash)},
		},
		Commands:     commands(c),
		Sinks:        []metrics.Sink{{Name: "journal", Waiting: j.Waiting, Dropped: j.Dropped}},
		Permission:   c.Permission.Judges(),
		SpansDropped: func() map[string]uint64 { return spans.Stats().Dropped },
	}
	if plan := fencePlan(c); plan != nil {
		m.Fencing = slices.Concat(plan.Levels...)
	}
	others.measure(&m)
	d.measureWatched(&m)
	for _, a := range c.Arbiters {
		m.Arbiters = append(m.Arbiters, a.Name)
	}
	for _, p := range c.Pings {
		m.PingNodes = append(m.PingNodes, p.Name)
	}
	for _, l := range c.Links {
		m.Links = append(m.Links, metrics.Link{Name: l.Name, Medium: string(l.Kind), Interface: l.Device, Address: l.Target})
	}
	for _, k := range c.Auth.Keys {
		m.Keys = append(m.Keys, metrics.Key{ID: fmt.Sprint(k.Number), Method: string(k.Method)})
	}
	for _, g := range d.coreConfig(id).Groups {
		group := metrics.Group{Name: g.Key(), Preferred: g.Preferred}
		for _, r := range g.Resources {
			group.Resources = append(group.Resources, metrics.Resource{Name: r.Spec.String(), Driver: r.Driver, Announces: r.Announced})
		}
		m.Groups = append(m.Groups, group)
	}
	return m
}

// commands are those that the control socket can be asked for.
func commands(c *config.Config) []string {
	names := []string{"hb_standby", "hb_takeover"}
	if c.Fencing.Enabled() {
		names = append(names, "systole fence", "systole fence --confirm")
	}
	return names
}

func onOff(b bool) string {
	if b {
		return "on"
	}
	return "off"
}
