package collector

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
)

// reportEvery is the least time between two errors that are reported: a dead
// collector has one for every batch.
const reportEvery = time.Minute

// Complaints pass errors on, one a minute, and say how many they kept back. They
// are the SDK's error handler, and what the SDK would log goes to them too.
type Complaints struct {
	report func(error)

	mu   sync.Mutex
	last time.Time
	kept int
}

// NewComplaints makes complaints of which report is told; nil for nobody.
func NewComplaints(report func(error)) *Complaints {
	if report == nil {
		report = func(error) {}
	}
	return &Complaints{report: report}
}

// errHeaders stands for what quotes the variables that hold passwords.
var errHeaders = errors.New("OTEL_EXPORTER_OTLP_HEADERS, or that of a signal, is not understood: write name=value, more of them after commas")

// Handle reports err, or counts it.
func (c *Complaints) Handle(err error) {
	if strings.Contains(err.Error(), "_HEADERS") {
		err = errHeaders
	}
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

func (c *Complaints) Init(logr.RuntimeInfo)          {}
func (c *Complaints) Enabled(int) bool               { return false }
func (c *Complaints) Info(int, string, ...any)       {}
func (c *Complaints) WithValues(...any) logr.LogSink { return c }
func (c *Complaints) WithName(string) logr.LogSink   { return c }
func (c *Complaints) Error(err error, what string, _ ...any) {
	c.Handle(fmt.Errorf("%s: %w", what, err))
}
