package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/systole-ha/systole/agent/config"
	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/ipaddr"
)

// Exit codes of systole check.
const (
	checkFine     = 0
	checkWarnings = 1 // with --strict only
	checkErrors   = 2
)

// checkTimeout bounds what the drivers look up about all resources. A call to
// systemd takes a millisecond, or a third of a second while it reloads.
const checkTimeout = 10 * time.Second

// runCheck is systole check: it says what is wrong with the configuration in
// dir and what systole would do with it on this machine, and returns the exit
// code.
func runCheck(dir string, strict bool, stdout io.Writer) int {
	host, err := config.ThisHost()
	if err != nil {
		fmt.Fprintln(stdout, err)
		return checkErrors
	}
	ctx, cancel := context.WithTimeout(context.Background(), checkTimeout)
	defer cancel()
	fmt.Fprintf(stdout, "%s on %s\n\n", dir, host.Name)
	return check(ctx, os.DirFS(dir), host, drivers(machine{node: host.Name, dir: dir}, ipaddr.Terms{}), strict, stdout)
}

// check is runCheck for any machine and any drivers.
func check(ctx context.Context, dir fs.FS, host config.Host, r registry, strict bool, stdout io.Writer) int {
	c, diagnostics := config.Load(dir, host)
	diagnostics = append(diagnostics, r.refuse(c)...)
	if slices.Contains(c.Nodes, c.Self) {
		diagnostics = append(diagnostics, r.examine(ctx, c)...)
		diagnostics = append(diagnostics, r.examineFencing(ctx, c)...)
	}
	diagnostics.Sort()
	if len(diagnostics) > 0 {
		fmt.Fprintf(stdout, "%s\n", diagnostics)
	}
	if len(c.Nodes) > 0 {
		printPlan(stdout, c, r)
	}
	errors, warnings, notes := diagnostics.Count(config.Error), diagnostics.Count(config.Warning), diagnostics.Count(config.Note)
	verdict, code := "this can run", checkFine
	switch {
	case errors > 0:
		verdict, code = "this cannot run", checkErrors
	case warnings > 0 && strict:
		verdict, code = "this can run, but not without warnings", checkWarnings
	}
	fmt.Fprintf(stdout, "%s, %s, %s: %s\n", count(errors, "error"), count(warnings, "warning"), count(notes, "note"), verdict)
	return code
}

// refuse reports the resources that no driver of this version can run, wherever
// it is, and addresses in two resources: the first to be released would take
// the address from the other. It asks the machine nothing.
func (r registry) refuse(c *config.Config) config.Diagnostics {
	held := map[netip.Addr]int{}
	return eachResource(c, func(s resources.Spec, line int) []resources.Finding {
		name, d, err := r.driver(s)
		if err != nil {
			return []resources.Finding{{Fatal: true, Text: err.Error()}}
		}
		if p, ok := d.(resources.Parser); ok {
			if err := p.Parse(s); err != nil {
				return []resources.Finding{{Fatal: true, Text: err.Error()}}
			}
		}
		if name != driverIPAddr {
			return nil
		}
		a, err := ipaddr.Parse(s)
		if err != nil {
			return []resources.Finding{{Fatal: true, Text: err.Error()}}
		}
		if before := held[a.IP]; before != 0 {
			return []resources.Finding{{Fatal: true, Text: fmt.Sprintf("%s is in line %d already", a.IP, before)}}
		}
		held[a.IP] = line
		return nil
	})
}

// examine reports what the drivers find on this machine, which must be a node
// of the cluster: what another has and lacks proves nothing.
func (r registry) examine(ctx context.Context, c *config.Config) config.Diagnostics {
	return eachResource(c, func(s resources.Spec, _ int) []resources.Finding {
		name, d, err := r.driver(s)
		checker, ok := d.(resources.Checker)
		if err != nil || !ok {
			return nil
		}
		if name == driverIPAddr {
			if _, err := ipaddr.Parse(s); err != nil {
				return nil // refused
			}
		}
		if p, ok := d.(resources.Parser); ok && p.Parse(s) != nil {
			return nil // refused
		}
		return checker.Check(ctx, s)
	})
}

// eachResource makes diagnostics of what a look at each resource finds.
func eachResource(c *config.Config, look func(s resources.Spec, line int) []resources.Finding) config.Diagnostics {
	var diagnostics config.Diagnostics
	for _, g := range c.Groups {
		for i, s := range g.Resources {
			line := g.ResourceLines[i]
			for _, f := range look(s, line) {
				text := strings.ReplaceAll(f.Text, "\n", "; ") // of joined errors
				diagnostics = append(diagnostics, config.Diagnostic{Severity: severityOf(f), File: config.Haresources, Line: line, Word: s.String(), Text: text})
			}
		}
	}
	return diagnostics
}

// severityOf is how much a finding matters. Where there is no systemd, or no
// right to ask it, as where a configuration is built, that is no fault of the
// configuration.
func severityOf(f resources.Finding) config.Severity {
	switch {
	case f.Fatal:
		return config.Error
	case f.Unknown:
		return config.Note
	}
	return config.Warning
}

// count is a number of things: 1 error, 2 errors.
func count(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}
