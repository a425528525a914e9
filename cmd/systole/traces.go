package main

import (
	"encoding/hex"

	"github.com/prometheus/common/version"

	"github.com/systole-ha/systole/exporters/traces"
)

// newTraces starts the traces that the variables of OpenTelemetry in the
// environment ask for. What is wrong with them is said, and costs the traces
// only: a failover daemon starts without.
func (d *daemon) newTraces(id identity) *traces.Traces {
	t, err := traces.New(traces.Config{
		Cluster: d.cfg.Cluster, Node: d.cfg.Self, Version: version.Version, InstanceID: hex.EncodeToString(id.uuid[:]),
		StateDir: d.cfg.StateDir,
		Report:   func(err error) { d.log.Warn("traces are not taken", "err", err) },
	})
	if err != nil {
		d.log.Error("no traces", "err", err)
		return &traces.Traces{}
	}
	return t
}
