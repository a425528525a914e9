package ipaddr

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/systole-ha/systole/resources"
)

// Check judges the argument, and whether this machine has a place for the
// address. It changes nothing.
func (d *Driver) Check(ctx context.Context, s resources.Spec) []resources.Finding {
	a, err := Parse(s)
	if err != nil {
		return []resources.Finding{{Fatal: true, Text: err.Error()}}
	}
	var findings []resources.Finding
	err = d.turn(ctx, func(k *kernel) (err error) {
		findings, err = examine(ctx, k, a)
		return err
	})
	switch {
	case errors.As(err, new(noPlace)):
		return []resources.Finding{{Fatal: true, Text: err.Error()}}
	case err != nil:
		return []resources.Finding{{Unknown: true, Text: "the network could not be examined: " + err.Error()}}
	}
	return findings
}

func examine(ctx context.Context, k *kernel, a Address) (findings []resources.Finding, err error) {
	to, err := k.lookup(a.IP)
	if err != nil {
		return nil, err
	}
	p, err := k.place(ctx, a, to)
	if err != nil {
		return nil, err
	}
	if !p.link.up() {
		return nil, down(p.link)
	}
	if !p.covered && a.Prefix == 0 {
		findings = append(findings, resources.Finding{Text: fmt.Sprintf(
			"no network of %s contains %s, so it is added as /%d: give the prefix if that is not meant", p.link.name, a.IP, p.prefix)})
	}
	if a.IP.Is4() && p.prefix < a.IP.BitLen() && !promotes(p.link) {
		findings = append(findings, resources.Finding{Text: fmt.Sprintf(
			"promote_secondaries is off on %s: if the node's own address of the network goes, %s goes with it; set net.ipv4.conf.all.promote_secondaries=1",
			p.link.name, a.IP)})
	}
	return findings, nil
}

// promotes reports whether the kernel promotes secondary addresses on a link:
// where the link's own setting or that of all links is on.
func promotes(l link) bool {
	if l.promotes {
		return true
	}
	all, err := os.ReadFile("/proc/sys/net/ipv4/conf/all/promote_secondaries")
	return err == nil && strings.TrimSpace(string(all)) == "1"
}
