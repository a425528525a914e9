package journal

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/exporters/internal/sentence"
)

// stamp is RFC 3339 with as much of a second as the event's clock is good for.
const stamp = "2006-01-02T15:04:05.000000Z07:00"

// identifier is what "journalctl -t" asks for.
const identifier = "systole"

// fields are an entry's, besides MESSAGE and PRIORITY: those of the record and
// those of the event, which are left out where they are zero.
func fields(r event.Record) map[string]string {
	all := map[string]string{
		"SYSLOG_IDENTIFIER": identifier,
		"MESSAGE_ID":        event.Lookup(r.Event).MessageID,
		"SYSTOLE_EVENT":     r.Event.Kind(),
		"SYSTOLE_SEQUENCE":  strconv.FormatUint(r.Sequence, 10),
		"SYSTOLE_TIME":      r.Time.UTC().Format(stamp),
		"SYSTOLE_CLUSTER":   r.Cluster,
		"SYSTOLE_NODE":      r.Node,
	}
	for name, value := range event.Fields(r.Event) {
		_, isDuration := value.(time.Duration)
		all[fieldName(name, isDuration)] = fieldValue(value)
	}
	return all
}

// fieldName is the journal's name for an event's field. Durations say their
// unit. The one name that a record has as well is the number of a peer's
// message.
func fieldName(name string, isDuration bool) string {
	if name == "sequence" {
		name = "peer_sequence"
	}
	if isDuration {
		name += "_seconds"
	}
	return "SYSTOLE_" + strings.ToUpper(name)
}

// fieldValue is text as it is, lists with commas, durations as seconds.
func fieldValue(value any) string {
	switch v := value.(type) {
	case time.Duration:
		return strconv.FormatFloat(v.Seconds(), 'f', -1, 64)
	case time.Time:
		return v.UTC().Format(stamp)
	case []string:
		return strings.Join(v, ",")
	}
	return fmt.Sprint(value)
}

// line is a record where there is no journal: key=value, the sentence last.
func line(r event.Record) string {
	var b strings.Builder
	fmt.Fprintf(&b, "time=%s level=%s cluster=%s node=%s sequence=%d event=%s",
		r.Time.UTC().Format(stamp), event.SeverityOf(r.Event), event.Value(r.Cluster), event.Value(r.Node), r.Sequence, event.Text(r.Event))
	fmt.Fprintf(&b, " message=%s\n", event.Value(sentence.Of(r)))
	return b.String()
}
