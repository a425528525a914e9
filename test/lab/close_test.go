package lab

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// gone waits until nothing of the lab is left.
func gone(t *testing.T, id string) {
	t.Helper()
	must(t, WaitFor(deadline(t, patience), "nothing to be left of the lab", func(context.Context) error {
		left, err := Leftovers(id)
		if err == nil && len(left) > 0 {
			err = fmt.Errorf("left over: %q", left)
		}
		return err
	}))
}

func TestGuardCleansUpAfterAKilledProgram(t *testing.T) {
	t.Parallel()
	it := killOwner(t, false)
	gone(t, it.ID)
	must(t, WaitFor(deadline(t, patience), "the guard to end", func(context.Context) error {
		if err := unix.Kill(it.Guard, 0); err != unix.ESRCH {
			return fmt.Errorf("process %d: %v", it.Guard, err)
		}
		return nil
	}))
}

func TestSweepCleansUpAfterAKilledProgramAndGuard(t *testing.T) {
	t.Parallel()
	it := killOwner(t, true)
	must(t, Sweep())
	gone(t, it.ID)
}

func TestTwoLabsAtOnce(t *testing.T) {
	t.Parallel()
	one, two := New(t, WithNodes("alpha", "beta")), New(t, WithNodes("alpha"))
	succeeds(t, one.Node("alpha"), "ip", "address", "add", "192.0.2.50/32", "dev", "eth0")
	if out, err := two.Client().Run(deadline(t, patience), "ping", "-c1", "-W1", "192.0.2.50"); err == nil {
		t.Errorf("the client of one lab reached a node of the other:\n%s", out)
	}
	must(t, two.Close())
	must(t, two.Close()) // again
	gone(t, two.ID())
	must(t, Sweep()) // must not touch what lives
	succeeds(t, one.Node("alpha"), "ping", "-c1", "-W1", "beta")
	if left, err := Leftovers(one.ID()); err != nil || !slices.Contains(left, prefix+one.ID()+"-alpha") {
		t.Errorf("of the lab that lives: %q, %v; want its network namespaces among them", left, err)
	}
}
