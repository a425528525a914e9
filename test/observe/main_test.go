package observe

import (
	"context"
	"fmt"
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

// patience is what a test waits at most for what should take a moment, on a
// machine that does something else as well.
const patience = 20 * time.Second

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// within is a context that ends after so long, or with the test.
func within(t testing.TB, after time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), after)
	t.Cleanup(cancel)
	return ctx
}

// soon is within patience.
func soon(t testing.TB) context.Context {
	t.Helper()
	return within(t, patience)
}

// pass lets time pass, which some claims are about. What is waited for
// elsewhere is an event.
func pass(t testing.TB, d time.Duration) {
	t.Helper()
	began := time.Now()
	must(t, lab.WaitFor(within(t, d+patience), fmt.Sprint(d, " to pass"), func(context.Context) error {
		if left := d - time.Since(began); left > 0 {
			return fmt.Errorf("%v are left", left)
		}
		return nil
	}))
}

func round(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }

// eventually asks until there is no error: servers scrape, evaluate and notify
// in their own time.
func (s *site) eventually(what string, ask func() error) {
	s.t.Helper()
	must(s.t, lab.WaitFor(within(s.t, 3*patience), what, func(context.Context) error { return ask() }))
}
