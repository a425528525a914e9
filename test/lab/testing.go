package lab

import (
	"context"
	"os"
	"testing"
	"time"
)

// bootTime is what New waits at most for a lab: a hundred times what it takes.
const bootTime = time.Minute

// New opens a lab for a test and closes it when the test ends. If the test has
// failed, it first logs the end of every node's journal. The test is skipped
// only where it does not run as root.
func New(t testing.TB, options ...Option) *Lab {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("the lab makes namespaces and mounts: run as root")
	}
	ctx, cancel := context.WithTimeout(t.Context(), bootTime)
	defer cancel()
	start := time.Now()
	logf := func(format string, args ...any) {
		t.Logf("%8.3fs "+format, append([]any{time.Since(start).Seconds()}, args...)...)
	}
	l, err := Open(ctx, append([]Option{WithLog(logf)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			l.logJournals(t)
		}
		if err := l.Close(); err != nil {
			t.Errorf("close the lab: %v", err)
		}
	})
	return l
}

func (l *Lab) logJournals(t testing.TB) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for _, n := range l.nodes {
		if !n.On() {
			continue
		}
		_ = n.Thaw() // frozen it would not answer
		journal, err := n.Journal(ctx)
		if err != nil {
			t.Logf("journal of %s: %v", n.name, err)
			continue
		}
		t.Logf("journal of %s:\n%s", n.name, tail(journal, 60))
	}
}

// Patience is what a test waits at most for what should take a moment, on a
// machine that does something else as well.
const Patience = 20 * time.Second

// Must ends a test that cannot go on after an error.
func Must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Within is a context that ends after so long, or with the test.
func Within(t testing.TB, after time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), after)
	t.Cleanup(cancel)
	return ctx
}

// Soon is within Patience.
func Soon(t testing.TB) context.Context {
	t.Helper()
	return Within(t, Patience)
}

// Pass lets time pass, which some claims are about. What is waited for elsewhere
// is an event.
func Pass(t testing.TB, d time.Duration) {
	t.Helper()
	Must(t, Elapse(t.Context(), d))
}

// Elapse lets time pass. The error is that of ctx, when it ends before.
func Elapse(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
