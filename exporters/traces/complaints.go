package traces

import (
	"fmt"
	"sync"
	"time"

	"github.com/go-logr/logr"
)

// reportEvery is the least time between two errors that are reported: a dead
// collector has one for every batch.
const reportEvery = time.Minute

// Complaints passes errors on, one a minute, and says how many it kept back. It
// is the SDK's error handler, and what the SDK would log goes here too.
type complaints struct {
	report func(error)

	mu   sync.Mutex
	last time.Time
	kept int
}

func newComplaints(report func(error)) *complaints {
	if report == nil {
		report = func(error) {}
	}
	return &complaints{report: report}
}

// Handle reports err, or counts it.
func (c *complaints) Handle(err error) {
	c.mu.Lock()
	now := time.Now()
	if !c.last.IsZero() && now.Sub(c.last) < reportEvery {
		c.kept++
		c.mu.Unlock()
		return
	}
	if c.kept > 0 {
		err = fmt.Errorf("%w (and %d errors before it)", err, c.kept)
	}
	c.last, c.kept = now, 0
	c.mu.Unlock()
	c.report(err)
}

// The rest is a logr.LogSink. The values that the SDK logs beside an error are
// left out: where a variable of the environment is malformed they hold what it
// says, and OTEL_EXPORTER_OTLP_HEADERS holds passwords.

func (c *complaints) Init(logr.RuntimeInfo)          {}
func (c *complaints) Enabled(int) bool               { return false }
func (c *complaints) Info(int, string, ...any)       {}
func (c *complaints) WithValues(...any) logr.LogSink { return c }
func (c *complaints) WithName(string) logr.LogSink   { return c }
func (c *complaints) Error(err error, what string, _ ...any) {
	c.Handle(fmt.Errorf("%s: %w", what, err))
}
