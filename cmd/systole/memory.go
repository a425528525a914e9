package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/systole-ha/systole/agent/config"
	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/agent/memory"
)

// A remembrance writes what this daemon leaves to the next one. The loop hands
// it over and never waits; the file is on a tmpfs, replaced as a whole.
type remembrance struct {
	path   string
	file   memory.File // but for what changes
	log    *slog.Logger
	newest chan memory.File // holds the one that is not written yet
	last   memory.File      // that was put; of the loop
	failed bool
}

func memoryPath(c *config.Config) string {
	return filepath.Join(filepath.Dir(c.ControlSocket), memory.Name)
}

func (d *daemon) newRemembrance() *remembrance {
	return &remembrance{
		path: memoryPath(d.cfg), log: d.log, newest: make(chan memory.File, 1),
		file: memory.File{Node: d.cfg.Self, Boot: bootID(), Deadtime: d.cfg.Deadtime},
	}
}

// recall is what the last daemon left; nil for nothing that holds now.
func (d *daemon) recall() *core.Memory {
	f, err := readMemory(memoryPath(d.cfg), d.cfg.Self)
	var m *core.Memory
	if err == nil {
		m, err = f.Fresh(boottime())
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		d.log.Info("nothing is known of what ran here before: what is found is judged by what the peer says", "why", err)
	}
	return m
}

func readMemory(path, node string) (memory.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return memory.File{}, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, memory.Limit+1))
	if err != nil {
		return memory.File{}, err
	}
	return memory.Decode(text, node, bootID())
}

// boottime is a clock that goes on while the machine is suspended, and is the
// same for all processes until the next boot.
func boottime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		return 0 // in no Linux since 2.6.39
	}
	return time.Duration(t.Nano())
}

// put replaces what is to be written. It is for the loop, and does not wait.
func (r *remembrance) put(m core.Memory, beaten time.Time) {
	f := r.file
	f.Memory, f.Beaten = m, boottime()-time.Since(beaten)
	r.last = f
	select {
	case <-r.newest:
	default:
	}
	select {
	case r.newest <- f:
	default: // not reached: nobody else puts anything in
	}
}

// run writes what there is to write until ctx ends, and then the last of it.
func (r *remembrance) run(ctx context.Context) {
	for {
		select {
		case f := <-r.newest:
			r.write(f)
		case <-ctx.Done():
			select {
			case f := <-r.newest:
				r.write(f)
			default:
			}
			return
		}
	}
}

func (r *remembrance) write(f memory.File) {
	text, err := memory.Encode(f)
	if err == nil {
		err = os.WriteFile(r.path+".new", text, 0o600)
	}
	if err == nil {
		err = os.Rename(r.path+".new", r.path)
	}
	if err != nil && !r.failed {
		r.log.Warn("what runs here is not written down: a restart may move groups that prefer the other node", "err", err)
	}
	r.failed = err != nil
}
