package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/systole-ha/systole/exporters/ledger"
	"github.com/systole-ha/systole/exporters/metrics"
)

func ledgerPath(stateDir string) string { return filepath.Join(stateDir, "ledger.json") }

// openLedger goes on with the books of the last run. Books that cannot be read
// are put aside, not lost: a failover daemon starts all the same.
func (d *daemon) openLedger(groups []metrics.Group) *ledger.Ledger {
	var names []string
	for _, g := range groups {
		names = append(names, g.Name)
	}
	path := ledgerPath(d.cfg.StateDir)
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		d.log.Warn("the outage ledger begins anew", "err", err)
	}
	book, err := ledger.Parse(text)
	if err != nil {
		aside := path + ".damaged"
		d.log.Warn("the outage ledger begins anew", "err", err, "kept", aside, "moved", errors.Join(os.Rename(path, aside)))
	}
	return ledger.New(d.cfg.Self, names, book)
}

// keepLedger saves the books until ctx ends, beside the failover path.
func (d *daemon) keepLedger(ctx context.Context, l *ledger.Ledger) {
	save := func(text []byte) error { return writeDurably(ledgerPath(d.cfg.StateDir), text) }
	l.Run(ctx, save, func(err error) {
		d.log.Warn("the outage ledger is not saved: its totals would be lost with this process", "err", err)
	})
}
