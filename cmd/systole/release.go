package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/systole-ha/systole/agent/control"
	"github.com/systole-ha/systole/agent/memory"
	"github.com/systole-ha/systole/agent/takeover"
	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/ipaddr"
	"github.com/systole-ha/systole/resources/systemd"
)

// Exit codes of systole release.
const (
	releaseFine   = 0 // nothing is left, or a daemon looks after it
	releaseFailed = 1
)

// daemonUnit is the unit that runs the daemon.
const daemonUnit = "systole.service"

// runRelease is systole release: it stops what a daemon that is gone for good
// has left running. The peer takes it over when its deadtime has passed, and
// two nodes must not run it.
func runRelease(socket, dir string, stdout, stderr io.Writer) int {
	hostname, err := os.Hostname()
	if err != nil {
		fmt.Fprintln(stderr, "systole release:", err)
		return releaseFailed
	}
	registry := drivers(machine{node: strings.ToLower(hostname), dir: dir, log: slog.New(slog.NewTextHandler(stderr, nil))}, ipaddr.Terms{})
	defer registry.close()
	path := filepath.Join(filepath.Dir(socket), memory.Name)
	left, err := readMemory(path, "")
	if errors.Is(err, fs.ErrNotExist) {
		err = nil // and left is empty
	}
	if err == nil && holdsAny(left) {
		err = releaseLeft(registry, socket, left, stdout)
	}
	if err != nil {
		fmt.Fprintln(stderr, "systole release:", err)
		return releaseFailed
	}
	return releaseFine
}

func holdsAny(f memory.File) bool {
	return slices.ContainsFunc(f.Memory.Groups, func(l takeover.Left) bool { return l.Holds })
}

// releaseLeft releases what was left, unless the daemon runs or is about to.
func releaseLeft(r registry, socket string, left memory.File, stdout io.Writer) error {
	ctx, cancel := context.WithTimeout(context.Background(), lookTimeout)
	defer cancel()
	units, _ := find[*systemd.Driver](r)
	returns, err := units.Returns(ctx, daemonUnit)
	if err != nil {
		return err
	}
	if returns {
		fmt.Fprintln(stdout, daemonUnit, "runs or is about to: it knows what it holds")
		return nil
	}
	// Held until this process ends, so that no daemon is started meanwhile.
	if _, err := control.Lock(socket); err != nil {
		return err
	}
	return r.stopAll(left.Memory.Groups, stdout)
}

// stopAll stops all resources of the groups that may run, each line from right
// to left, all lines at once: one that hangs must not keep the others.
func (r registry) stopAll(groups []takeover.Left, stdout io.Writer) error {
	var lines sync.WaitGroup
	errs := make([]error, len(groups))
	for i, g := range groups {
		if g.Holds {
			lines.Go(func() { errs[i] = r.stopLine(g.Resources) })
		}
	}
	lines.Wait()
	for i, g := range groups {
		if g.Holds && errs[i] == nil {
			fmt.Fprintln(stdout, "released", g.Group)
		}
	}
	return errors.Join(errs...)
}

func (r registry) stopLine(words []string) error {
	for _, word := range slices.Backward(words) {
		spec, err := resources.ParseSpec(word)
		if err != nil {
			return err
		}
		_, driver, err := r.driver(spec)
		if err != nil {
			return fmt.Errorf("%s: %w", spec, err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), resources.Timeout)
		err = driver.Stop(ctx, spec)
		cancel()
		if err != nil {
			return err
		}
	}
	return nil
}
