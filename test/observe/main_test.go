package observe

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/systole-ha/systole/test/cluster"
	"github.com/systole-ha/systole/test/lab"
)

func TestMain(m *testing.M) {
	beHelper()
	code := m.Run()
	cluster.Remove()
	os.Exit(code)
}

const patience = lab.Patience

var must, within, soon, pass = lab.Must, lab.Within, lab.Soon, lab.Pass

func round(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }

// eventually asks until there is no error: servers scrape, evaluate and notify
// in their own time.
func (s *site) eventually(what string, ask func() error) {
	s.t.Helper()
	must(s.t, lab.WaitFor(within(s.t, 3*patience), what, func(context.Context) error { return ask() }))
}
