package traces

import (
	"context"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/systole-ha/systole/agent/event"
)

// group builds the span of one group, and one for each thing done to it.
// Announcements of one address are one span, and so is the look at all
// resources that ends a start or a stop.
func (s *spans) group(ctx context.Context, a anchor, w *work, moveEnded time.Time, acquire bool) {
	ended := w.ended
	if ended.IsZero() {
		ended = moveEnded
	}
	names := map[string]bool{}
	for _, o := range w.operations {
		names[o.Resource] = true
	}
	g := spec{
		name: "group", start: a.at(w.began), end: a.at(ended),
		attributes: []attribute.KeyValue{
			words("group", w.group), words("group.state", w.state), attribute.Int("systole.group.members", len(names)),
		},
	}
	if w.omitted > 0 {
		g.attributes = append(g.attributes, attribute.Int("systole.operations.omitted", w.omitted))
	}
	if w.state == "failed" {
		g.failure, g.errorType = "the group failed", "failed"
	}
	ctx = build(ctx, s.incidents, g)
	delete(s.held, w.group)
	if acquire {
		s.held[w.group] = trace.SpanContextFromContext(ctx)
	}
	for _, together := range bundle(w.operations) {
		s.operations(ctx, a, together)
	}
}

// afterwards builds what is done to a group when its takeover is over: its
// addresses are announced again, up to seconds later.
func (s *spans) afterwards(at time.Time, e event.ResourceOperation) {
	if group, ok := s.held[e.Group]; ok && e.Operation == "announce" {
		s.operations(trace.ContextWithSpanContext(context.Background(), group), anchor(at), []operation{{e, at}})
	}
}

// bundle puts the operations that make one span beside each other.
func bundle(operations []operation) [][]operation {
	var bundles [][]operation
	at := map[string]int{}
	for _, o := range operations {
		key := ""
		switch o.Operation {
		case "announce":
			key = "announce " + o.Resource
		case "status":
			key = "status"
		}
		if i, ok := at[key]; ok && key != "" {
			bundles[i] = append(bundles[i], o)
			continue
		}
		at[key] = len(bundles)
		bundles = append(bundles, []operation{o})
	}
	return bundles
}

// operations builds one span of operations of one kind.
func (s *spans) operations(ctx context.Context, a anchor, all []operation) {
	first := all[0]
	sp := spec{name: spanName(first), start: a.at(first.began()), end: a.at(first.at)}
	if sp.name == "verify" {
		sp.attributes = []attribute.KeyValue{words("group", first.Group), attribute.Int("systole.count", len(all))}
	} else {
		sp.attributes = resourceAttributes(first)
	}
	if sp.name == "arp.announce" {
		sp.attributes = append(sp.attributes, attribute.Int("systole.count", len(all)))
	}
	for _, o := range all {
		if began := a.at(o.began()); began.Before(sp.start) {
			sp.start = began
		}
		if end := a.at(o.at); end.After(sp.end) {
			sp.end = end
		}
		switch sp.name {
		case "verify":
			sp.events = append(sp.events, moment{"checked", a.at(o.at), []attribute.KeyValue{words("resource", o.Resource), words("result", o.Result)}})
		case "arp.announce":
			sp.events = append(sp.events, moment{"burst", a.at(o.at), []attribute.KeyValue{words("result", o.Result)}})
		}
		if o.Result != "ok" {
			sp.failure, sp.errorType = o.Operation+" "+o.Resource+": "+o.Error, o.Result
		}
	}
	build(ctx, s.incidents, sp)
}

// spanName is what an operation is called.
func spanName(o operation) string {
	switch {
	case o.Operation == "status":
		return "verify"
	case o.Operation == "announce":
		return "arp.announce"
	case o.Driver == "ipaddr" && o.Operation == "start":
		return "address.acquire"
	case o.Driver == "ipaddr" && o.Operation == "stop":
		return "address.release"
	case o.Driver == "systemd":
		return "unit." + o.Operation
	}
	return "resource." + o.Operation
}

func resourceAttributes(o operation) []attribute.KeyValue {
	attributes := []attribute.KeyValue{
		words("group", o.Group), words("resource", o.Resource), words("driver", o.Driver), words("result", o.Result),
	}
	switch o.Driver {
	case "systemd":
		attributes = append(attributes, words("unit", o.Resource))
	case "ipaddr":
		address, device := addressOf(o.Resource)
		attributes = append(attributes, semconv.NetworkLocalAddress(address))
		if device != "" {
			attributes = append(attributes, semconv.NetworkInterfaceName(device))
		}
	}
	return attributes
}

// addressOf reads the address and, where it is given, the interface of a
// resource such as IPaddr::192.0.2.10/24/eth0/192.0.2.255.
func addressOf(resource string) (address, device string) {
	_, argument, found := strings.Cut(resource, "::")
	if !found {
		argument = resource
	}
	parts := strings.Split(argument, "/")
	for _, part := range parts[1:] {
		if part != "" && strings.Trim(part, "0123456789.:") != "" {
			device = part
		}
	}
	return parts[0], device
}
