package main

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/systole-ha/systole/exporters/metrics"
)

// A kept is what the metrics remember, on disk, so that a restart of the daemon
// does not erase the newest takeover. It changes a few times a takeover.
type kept struct {
	path   string
	log    *slog.Logger
	memory metrics.Memory      // as it was read
	newest chan metrics.Memory // holds the one that is not written yet
}

// openKept reads what the last run remembered. A file that cannot be read is as
// good as none: the next takeover replaces it.
func (d *daemon) openKept() *kept {
	k := &kept{path: filepath.Join(d.cfg.StateDir, "takeover.json"), log: d.log, newest: make(chan metrics.Memory, 1)}
	text, err := os.ReadFile(k.path)
	if errors.Is(err, fs.ErrNotExist) {
		return k
	}
	if err == nil {
		err = json.Unmarshal(text, &k.memory)
	}
	if err != nil {
		k.memory = metrics.Memory{}
		d.log.Warn("the newest takeover of the last run is not known", "err", err)
	}
	return k
}

// put replaces what is to be written. It is for the loop, and does not wait.
func (k *kept) put(m metrics.Memory) {
	select {
	case <-k.newest:
	default:
	}
	select {
	case k.newest <- m:
	default: // not reached: nobody else puts anything in
	}
}

// run writes what there is to write until ctx ends, and then the last of it.
func (k *kept) run(ctx context.Context) {
	for {
		select {
		case m := <-k.newest:
			k.write(m)
		case <-ctx.Done():
			select {
			case m := <-k.newest:
				k.write(m)
			default:
			}
			return
		}
	}
}

func (k *kept) write(m metrics.Memory) {
	text, err := json.Marshal(m)
	if err == nil {
		err = writeDurably(k.path, append(text, '\n'))
	}
	if err != nil {
		k.log.Warn("the newest takeover is not saved: a restart would forget it", "err", err)
	}
}
