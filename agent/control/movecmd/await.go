package movecmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/systole-ha/systole/agent/control"
)

// pollInterval is how often a node is asked whether its groups have moved. How
// long that took is read from its events and no worse for it.
const pollInterval = 100 * time.Millisecond

// await waits until the node has come to rest, says how long that took and what
// it holds, and fails unless every group is where it was to go.
func (c Command) await(ctx context.Context, client *control.Client, w wish, before control.Status, stderr io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, w.wait)
	defer cancel()
	after, err := settled(ctx, client)
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("not completed after %v: %s", w.wait, after.Activity)
	}
	if err != nil {
		return err
	}
	took, err := transition(ctx, client, before.Sequence)
	if err != nil {
		return err
	}
	fmt.Fprintf(stderr, "completed in %d ms: %s holds %s\n", took.Milliseconds(), after.Node, after.Hold)
	return c.misplaced(w.scope, after)
}

// settled asks until nothing is under way. A move is under way from the moment
// it is accepted. With an error comes the last answer that there was.
func settled(ctx context.Context, client *control.Client) (control.Status, error) {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	var last control.Status
	for {
		st, err := client.Status(ctx)
		switch {
		case ctx.Err() != nil:
			return last, ctx.Err()
		case err != nil:
			return last, err
		case st.Hold != "transition":
			return st, nil
		}
		last = st
		select {
		case <-tick.C:
		case <-ctx.Done():
			return last, ctx.Err()
		}
	}
}

// transition is how long the node was in transition after an event, by its own
// clock: 0 when it never was, because there was nothing to move.
func transition(ctx context.Context, client *control.Client, since uint64) (time.Duration, error) {
	events, err := client.Events(ctx, control.Filter{Since: since})
	if err != nil {
		return 0, err
	}
	defer events.Close()
	var from, to time.Time
	for {
		item, err := events.Next()
		switch {
		case errors.Is(err, io.EOF):
			return max(0, to.Sub(from)), nil
		case err != nil:
			return 0, err
		case item.Event == nil || item.Event.Kind != "hold.changed":
		case item.Event.Fields["to"] == "transition" && from.IsZero():
			from = item.Event.Time
		case item.Event.Fields["from"] == "transition":
			to = item.Event.Time
		}
	}
}

// misplaced is an error that names every group of the scope which is not where
// it was to go.
func (c Command) misplaced(scope string, st control.Status) error {
	want := st.Node
	if c.Kind == "standby" {
		want = peer(st)
	}
	var wrong []string
	for _, g := range st.Groups {
		local := g.Preferred == st.Node
		if scope == "local" && !local || scope == "foreign" && local || slices.Equal(g.Holders, []string{want}) {
			continue
		}
		text := g.Group + " is held by " + strings.Join(g.Holders, " and ")
		if len(g.Holders) == 0 {
			text = g.Group + " is held by nobody"
		}
		if g.Failure != "" {
			text += ": " + g.Failure
		}
		wrong = append(wrong, text)
	}
	if wrong == nil {
		return nil
	}
	return errors.New("not everything has moved: " + strings.Join(wrong, "; "))
}
