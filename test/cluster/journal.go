package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/systole-ha/systole/test/lab"
)

// An Entry is one event as a node's journal keeps it, over boots.
type Entry struct {
	Kind    string // peer.dead
	At      time.Time
	Message string
	fields  map[string]any
}

// Get is a field of the event: "peer" is SYSTOLE_PEER of the entry.
func (e Entry) Get(name string) string { return text(e.fields["SYSTOLE_"+strings.ToUpper(name)]) }

// Seconds is a field that is a duration; 0 where the event leaves it out.
func (e Entry) Seconds(name string) time.Duration {
	s, _ := strconv.ParseFloat(e.Get(name+"_seconds"), 64)
	return time.Duration(s * float64(time.Second))
}

// Number is a field that is a number; 0 where the event leaves it out.
func (e Entry) Number(name string) int {
	n, _ := strconv.Atoi(e.Get(name))
	return n
}

// Entries are a journal's, in order.
type Entries []Entry

// Journal reads what the daemon of a node has reported since an instant.
func Journal(ctx context.Context, n *lab.Node, since time.Time) (Entries, error) {
	out, err := n.Run(ctx, "sh", "-c", "journalctl --sync && journalctl --quiet --output=json --identifier=systole")
	if err != nil {
		return nil, err
	}
	var entries Entries
	for line := range strings.Lines(out) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			return nil, fmt.Errorf("journal of %s: %w in %s", n, err, line)
		}
		if fields["SYSTOLE_EVENT"] == nil {
			continue // what it wrote to its standard error
		}
		e := Entry{Kind: text(fields["SYSTOLE_EVENT"]), Message: text(fields["MESSAGE"]), fields: fields}
		if e.At, err = time.Parse(time.RFC3339, text(fields["SYSTOLE_TIME"])); err != nil {
			return nil, fmt.Errorf("journal of %s: %w", n, err)
		}
		if !e.At.Before(since.Truncate(time.Microsecond)) {
			entries = append(entries, e)
		}
	}
	return entries, nil
}

// text is a field's value. Of one that is there more than once, the first.
func text(value any) string {
	if all, ok := value.([]any); ok && len(all) > 0 {
		value = all[0]
	}
	s, _ := value.(string)
	return s
}

// Of are those of some kinds.
func (e Entries) Of(kinds ...string) Entries {
	return slices.DeleteFunc(slices.Clone(e), func(e Entry) bool { return !slices.Contains(kinds, e.Kind) })
}

// With are those whose field has a value.
func (e Entries) With(field, value string) Entries {
	return slices.DeleteFunc(slices.Clone(e), func(e Entry) bool { return e.Get(field) != value })
}

// String is one line an entry.
func (e Entries) String() string {
	var b strings.Builder
	for _, entry := range e {
		fmt.Fprintf(&b, "%s %-22s %s\n", entry.At.Format("15:04:05.000000"), entry.Kind, entry.Message)
	}
	return b.String()
}

// WaitEntry returns the first entry since an instant for which cond is true.
func WaitEntry(ctx context.Context, n *lab.Node, since time.Time, what string, cond func(Entry) bool) (Entry, error) {
	var found Entry
	err := lab.WaitFor(ctx, fmt.Sprintf("%s in the journal of %s", what, n), func(ctx context.Context) error {
		entries, err := Journal(ctx, n, since)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(entries, cond)
		if i < 0 {
			return fmt.Errorf("%d entries, the last are\n%s", len(entries), entries[max(0, len(entries)-5):])
		}
		found = entries[i]
		return nil
	})
	return found, err
}
