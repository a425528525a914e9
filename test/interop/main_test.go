package interop

import (
	"context"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/systole-ha/systole/test/cluster"
	"github.com/systole-ha/systole/test/lab"
)

var (
	update = flag.Bool("update", false, "walk through every configuration, and write docs/compat.md")
	record = flag.Bool("record", false, "walk with two Heartbeat nodes, and keep what they complain of")
	only   = flag.String("only", "", "walk only through configurations whose title matches")
	steps  = flag.String("steps", "", "take only steps whose names match, after the joint start")
)

func TestMain(m *testing.M) {
	code := m.Run()
	cluster.Remove()
	os.Exit(code)
}

// patience is what a test waits at most for what should take a moment, on a
// machine that does something else as well.
const patience = 30 * time.Second

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

func soon(t testing.TB) context.Context {
	t.Helper()
	return within(t, patience)
}

// pass lets time pass: a fault lasts.
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
