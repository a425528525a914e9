package failover

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/systole-ha/systole/test/cluster"
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

// pass lets time go by.
func pass(t testing.TB, d time.Duration) {
	t.Helper()
	select {
	case <-time.After(d):
	case <-t.Context().Done():
	}
}
