package main

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestFeedIsMadeOnceASecondForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made := 0
		f := &feed[int]{interval: time.Second, limit: time.Second, make: func(context.Context) (int, error) {
			time.Sleep(300 * time.Millisecond)
			made++
			return made, nil
		}}
		ask := func(viewers, want int) {
			t.Helper()
			var all sync.WaitGroup
			for range viewers {
				all.Go(func() {
					if got, err := f.get(t.Context()); got != want || err != nil {
						t.Errorf("a viewer sees %d, %v; want %d", got, err, want)
					}
				})
			}
			all.Wait()
		}
		ask(50, 1)
		time.Sleep(699 * time.Millisecond) // 999 ms behind the first
		ask(50, 1)
		time.Sleep(time.Millisecond)
		ask(50, 2)
		time.Sleep(time.Hour)
		synctest.Wait()
		if made != 2 {
			t.Errorf("made %d times, with nobody looking; want 2", made)
		}
	})
}

func TestFeedDoesNotEndWithTheFirstWhoAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &feed[string]{interval: time.Second, limit: time.Minute, make: func(ctx context.Context) (string, error) {
			select {
			case <-time.After(10 * time.Second):
				return "made", nil
			case <-ctx.Done():
				return "", ctx.Err()
			}
		}}
		hasty, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := f.get(hasty); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the hasty one gets %v", err)
		}
		began := time.Now()
		if got, err := f.get(t.Context()); got != "made" || err != nil || time.Since(began) != 9*time.Second {
			t.Errorf("the patient one gets %q, %v after %v; want made after 9s", got, err, time.Since(began))
		}
	})
}

func TestFeedWhoseMakerHangsSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &feed[int]{interval: time.Second, limit: 1500 * time.Millisecond, make: func(ctx context.Context) (int, error) {
			<-ctx.Done()
			return 0, ctx.Err()
		}}
		if _, err := f.get(t.Context()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the error is %v", err)
		}
	})
}
