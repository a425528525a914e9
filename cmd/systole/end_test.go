package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheLastWorkIsWaitedFor(t *testing.T) {
	for _, tt := range []struct {
		name     string
		restarts bool
		work     time.Duration
		want     time.Duration
		says     string
	}{
		{name: "until it is done", work: ending - time.Millisecond, want: ending - time.Millisecond},
		{name: "no longer than a disk may take", work: time.Hour, want: ending, says: "a disk or a collector takes its time"},
		{name: "shortly where the peer counts the silence", restarts: true, work: time.Hour, want: closing, says: "a disk or a collector takes its time"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				d := &daemon{log: slog.New(slog.NewTextHandler(&log, nil))}
				d.restarts.Store(tt.restarts)
				began := time.Now()
				d.wait(func() { time.Sleep(tt.work) })
				if took := time.Since(began); took != tt.want {
					t.Errorf("it took %v, want %v", took, tt.want)
				}
				if !strings.Contains(log.String(), tt.says) || tt.says == "" && log.Len() > 0 {
					t.Errorf("it says %q", &log)
				}
				time.Sleep(tt.work) // a bubble ends with all that is in it
			})
		})
	}
}
