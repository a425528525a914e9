package main

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/prometheus/common/version"

	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/exporters/alertmanager"
	"github.com/systole-ha/systole/exporters/metrics"
	"github.com/systole-ha/systole/exporters/otlplogs"
	"github.com/systole-ha/systole/exporters/webhook"
)

// A receiver is a sink whose other end is somewhere on the network.
type receiver interface {
	event.Sink
	closer
	Waiting() int
	Dropped() uint64
}

// Receivers are those that the configuration and the environment ask for, by
// their names in metrics.
type receivers struct {
	names    []string
	each     []receiver
	webhooks []metrics.Webhook
}

// openReceivers starts them. sdk says that nobody listens to OpenTelemetry's SDK
// yet. note raises an event, and may be called from any goroutine.
func (d *daemon) openReceivers(id identity, sdk bool, note func(event.Event)) *receivers {
	r := &receivers{}
	if len(d.cfg.Webhooks) > 0 {
		r.add("webhook", d.openWebhooks(r, id, note))
	}
	if logs := d.openLogs(id, sdk, note); logs != nil {
		r.add("otlp_logs", logs)
	}
	if len(d.cfg.Alertmanagers) > 0 {
		r.add("alertmanager", d.openAlertmanagers(note))
	}
	return r
}

func (r *receivers) add(name string, one receiver) {
	r.names, r.each = append(r.names, name), append(r.each, one)
}

// trouble makes what a sink loses an event, and what it says a line of the log.
func (d *daemon) trouble(sink string, note func(event.Event)) func(dropped uint64, err error) {
	return func(dropped uint64, err error) {
		if err != nil {
			d.log.Warn("events are not taken", "sink", sink, "err", err)
		}
		if dropped > 0 {
			note(event.TelemetryDegraded{Sink: sink, Dropped: dropped})
		}
	}
}

func (d *daemon) openWebhooks(r *receivers, id identity, note func(event.Event)) *webhook.Webhook {
	cfg := webhook.Config{
		Cluster: d.cfg.Cluster, Node: d.cfg.Self, BootID: bootID(), Generation: id.generation, UserAgent: userAgent(), StateDir: d.cfg.StateDir,
		Report: func(endpoint string, dropped uint64, err error) { d.trouble("webhook "+endpoint, note)(dropped, err) },
	}
	for _, w := range d.cfg.Webhooks {
		cfg.Endpoints = append(cfg.Endpoints, webhook.Endpoint{Name: w.Name, URL: w.URL, Severity: severityNamed(w.Severity), Secrets: w.Secrets.Values()})
	}
	opened := webhook.New(cfg)
	for _, w := range d.cfg.Webhooks {
		r.webhooks = append(r.webhooks, metrics.Webhook{Name: w.Name, Deliveries: func() map[string]uint64 { return opened.Deliveries(w.Name) }})
	}
	return opened
}

// openLogs starts the log records that the variables of OpenTelemetry in the
// environment ask for; nil where they do not. What is wrong with them is said,
// and costs the log records only.
func (d *daemon) openLogs(id identity, sdk bool, note func(event.Event)) *otlplogs.Logs {
	logs, err := otlplogs.New(otlplogs.Config{
		Cluster: d.cfg.Cluster, Node: d.cfg.Self, Version: version.Version, InstanceID: hex.EncodeToString(id.uuid[:]),
		Report: d.trouble("otlp_logs", note), SDK: sdk,
	})
	if err != nil {
		d.log.Error("no log records for a collector", "err", err)
	}
	return logs
}

func (d *daemon) openAlertmanagers(note func(event.Event)) *alertmanager.Alertmanager {
	cfg := alertmanager.Config{Cluster: d.cfg.Cluster, Node: d.cfg.Self, UserAgent: userAgent(), Report: d.trouble("alertmanager", note)}
	for _, a := range d.cfg.Alertmanagers {
		target := alertmanager.Target{URL: a.URL}
		for _, s := range a.Password.Values() {
			target.User, target.Password, _ = strings.Cut(string(s), ":")
		}
		cfg.Targets = append(cfg.Targets, target)
	}
	return alertmanager.New(cfg)
}

// severityNamed is the severity of that name; the configuration has checked it.
func severityNamed(name string) event.Severity {
	all := []event.Severity{event.Info, event.Notice, event.Warning, event.Error, event.Critical}
	return all[max(0, slices.IndexFunc(all, func(s event.Severity) bool { return s.String() == name }))]
}

func userAgent() string { return "systole/" + cmp.Or(version.Version, "unknown") }

// sinks are the receivers for the agent, after those that are before them.
func (r *receivers) sinks(before ...event.Sink) []event.Sink {
	for _, one := range r.each {
		before = append(before, one)
	}
	return before
}

// measure adds the receivers to what is measured.
func (r *receivers) measure(m *metrics.Config) {
	for i, one := range r.each {
		m.Sinks = append(m.Sinks, metrics.Sink{Name: r.names[i], Waiting: one.Waiting, Dropped: one.Dropped})
	}
	m.Webhooks = r.webhooks
}

// A closer ends by itself, or when ctx does.
type closer interface{ Close(context.Context) error }

// closeAll ends these and all receivers at once, so that one that hangs takes
// no time from another.
func (r *receivers) closeAll(ctx context.Context, others ...closer) error {
	for _, one := range r.each {
		others = append(others, one)
	}
	errs := make([]error, len(others))
	var all sync.WaitGroup
	for i, one := range others {
		all.Go(func() { errs[i] = one.Close(ctx) })
	}
	all.Wait()
	return errors.Join(errs...)
}
