package readiness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/systole-ha/systole/resources"
)

// each goes through the resources in the order in which they start.
func (c *Checker) each(f func(resources.Spec, resources.Driver)) {
	for _, g := range c.cfg.Groups {
		for _, r := range g.Resources {
			f(r.Spec, c.cfg.Driver(r.Spec))
		}
	}
}

// units wants what is no address to be startable: there, not masked, without
// errors. If it cannot be asked for, it cannot be started either.
func (c *Checker) units(ctx context.Context) Verdict {
	var wrong []string
	looked := 0
	c.each(func(s resources.Spec, d resources.Driver) {
		checker, ok := d.(resources.Checker)
		if _, address := d.(resources.Prober); !ok || address || ctx.Err() != nil {
			return
		}
		looked++
		for _, f := range checker.Check(ctx, s) {
			if f.Fatal || f.Unknown {
				wrong = append(wrong, f.Text)
			}
		}
	})
	if ctx.Err() != nil && len(wrong) == 0 {
		wrong = []string{fmt.Sprintf("no answer within %v", Limit)}
	}
	return verdict(UnitsLoadable, wrong, []string{count(looked, "unit")})
}

// interfaces wants each address to have an interface to go to that carries.
func (c *Checker) interfaces(ctx context.Context) Verdict {
	var wrong, fine []string
	c.each(func(s resources.Spec, d resources.Driver) {
		p, ok := d.(resources.Prober)
		if !ok {
			return
		}
		place, err := p.Place(ctx, s)
		switch {
		case err != nil:
			wrong = append(wrong, cause(err))
		case !place.Up:
			wrong = add(wrong, place.Interface+" is down")
		case !place.Carrier:
			wrong = add(wrong, place.Interface+" has no carrier")
		default:
			fine = add(fine, place.Interface+" carries")
		}
	})
	if len(fine) == 0 {
		fine = []string{"no addresses"}
	}
	return verdict(InterfaceUp, wrong, fine)
}

// cause is an error of a driver's without the name of the operation, which
// nobody has asked for.
func cause(err error) string {
	if e := (*resources.Error)(nil); errors.As(err, &e) {
		return fmt.Sprintf("%s: %v", e.Spec, e.Err)
	}
	return err.Error()
}

// add adds what is not there yet.
func add(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// attempt is the file that the disk is tried with: a block, so that a file
// system with no room for one has to say so.
const (
	attempt     = "writable"
	attemptSize = 4096
)

// disk wants the state directory to take a file, and the disk behind it to say
// that it has it.
func (c *Checker) disk(context.Context) Verdict {
	path := filepath.Join(c.cfg.StateDir, attempt)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return not(err.Error())
	}
	_, err = f.Write(make([]byte, attemptSize))
	if err = errors.Join(err, f.Sync(), f.Close(), os.Remove(path)); err != nil {
		return not(err.Error())
	}
	return ready("%s takes what is written", c.cfg.StateDir)
}

func count(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}
