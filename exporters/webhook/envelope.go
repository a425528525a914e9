package webhook

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/exporters/internal/sentence"
	"github.com/systole-ha/systole/exporters/internal/topspan"
)

// contentType is that of structured mode (CloudEvents 1.0, HTTP binding 3.2).
const contentType = "application/cloudevents+json; charset=UTF-8"

// An envelope is a CloudEvent in JSON.
type envelope struct {
	SpecVersion     string         `json:"specversion"`
	ID              string         `json:"id"`
	Source          string         `json:"source"`
	Type            string         `json:"type"`
	Time            string         `json:"time"`
	DataContentType string         `json:"datacontenttype"`
	TraceParent     string         `json:"traceparent,omitempty"` // the extension for distributed tracing
	Data            map[string]any `json:"data"`
}

// An origin is what all events of one daemon have in common.
type origin struct {
	source string
	prefix string // of ids
}

func originOf(cfg Config) origin {
	boot := strings.ReplaceAll(cfg.BootID, "-", "")
	return origin{
		source: "/" + url.PathEscape(cfg.Cluster) + "/" + url.PathEscape(cfg.Node),
		prefix: fmt.Sprintf("%s-%s-%d-", plain(cfg.Node), plain(boot[:min(len(boot), 8)]), cfg.Generation),
	}
}

// id is the same at every attempt, and no other event's: sequence numbers begin
// anew with each generation of the daemon. It has no dots, which separate it
// from what follows where it is signed.
func (o origin) id(r event.Record) string { return fmt.Sprint(o.prefix, r.Sequence) }

// plain is a name in characters that a header and a signature can have.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '_'
	}, name)
}

// envelope is the body of a post. The data are the event's fields as
// docs/events.md has them, its severity and its sentence.
func (o origin) envelope(r event.Record) []byte {
	e := envelope{
		SpecVersion: "1.0", ID: o.id(r), Source: o.source, Type: "io.systole." + r.Event.Kind(),
		Time: r.Time.UTC().Format(time.RFC3339Nano), DataContentType: "application/json", Data: event.Map(r.Event),
	}
	e.Data["severity"] = event.SeverityOf(r.Event).String()
	e.Data["message"] = sentence.Of(r)
	if place, ok := topspan.Of(r); ok {
		e.TraceParent = place.Traceparent()
	}
	body, err := json.Marshal(e)
	if err != nil {
		panic(fmt.Sprintf("webhook: %s is no JSON: %v", r.Event.Kind(), err)) // numbers, text and lists of text always are
	}
	return body
}
