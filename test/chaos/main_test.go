package chaos

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/systole-ha/systole/test/cluster"
	"github.com/systole-ha/systole/test/lab"
)

var virtual = netip.MustParseAddr("192.0.2.50")

func TestMain(m *testing.M) {
	code := m.Run()
	cluster.Remove()
	os.Exit(code)
}

// patience is what is waited at most for what should take a moment, on a
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

func soon(t testing.TB) context.Context {
	t.Helper()
	return within(t, patience)
}

// pass lets time pass: a fault lasts.
func pass(ctx context.Context, d time.Duration) error {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, d+patience)
	defer cancel()
	return lab.WaitFor(ctx, fmt.Sprint(d, " to pass"), func(context.Context) error {
		if left := d - time.Since(began); left > 0 {
			return fmt.Errorf("%v are left", left)
		}
		return nil
	})
}
