package main

import (
	"context"
	"errors"
	"testing"

	"github.com/systole-ha/systole/resources/fence"
)

// A management board takes one session at a time: whoever asks whether it is
// there lets go when the peer is to be switched off.
func TestAQuestionGivesWayToAnOrder(t *testing.T) {
	var f fences
	asked, answer := make(chan struct{}), make(chan error)
	go func() {
		answer <- f.ask(t.Context(), func(ctx context.Context, a fence.Action) error {
			if a != fence.Monitor {
				t.Errorf("asked to %s", a)
			}
			close(asked)
			<-ctx.Done()
			return ctx.Err()
		})
	}()
	<-asked
	done := f.order()
	if err := <-answer; err != nil {
		t.Errorf("a device that is wanted is not there: %v", err)
	}
	neverAsked := func(context.Context, fence.Action) error { t.Error("asked beside the order"); return nil }
	if err := f.ask(t.Context(), neverAsked); err != nil {
		t.Errorf("a device at work is not there: %v", err)
	}
	done()
	gone := errors.New("no route to host")
	if err := f.ask(t.Context(), func(context.Context, fence.Action) error { return gone }); err != gone {
		t.Errorf("afterwards it answers %v, want %v", err, gone)
	}
}
