package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/systole-ha/systole/test/lab"
)

// list prints the labs that are up.
func list(_ context.Context, s *session, args []string) error {
	dirs, err := running()
	for _, dir := range dirs {
		fmt.Fprintln(s.stdout, filepath.Base(dir))
	}
	return err
}

// sweep removes what killed labs have left.
func sweep(context.Context, *session, []string) error { return lab.Sweep() }

// down ends the lab and returns when it is gone.
func down(ctx context.Context, s *session, args []string) error {
	dir, err := s.find()
	if err != nil {
		return err
	}
	conn, err := net.Dial("unix", socket(dir))
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := json.NewEncoder(conn).Encode([]string{"down"}); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return lab.WaitFor(ctx, "the lab to end", func(context.Context) error {
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s is still there", dir)
		}
		return nil
	})
}

// deps lists the Debian packages a lab needs, or installs what is missing.
func deps(_ context.Context, s *session, args []string) error {
	install := len(args) == 1 && args[0] == "--install"
	if len(args) > 0 && !install {
		return errUsage("want deps [--install]")
	}
	if install {
		said, err := lab.Install(lab.Packages)
		fmt.Fprint(s.stdout, said)
		return err
	}
	missing := 0
	for _, p := range lab.Packages {
		state := "installed"
		if !p.Installed() {
			state = "MISSING"
			missing++
		}
		fmt.Fprintf(s.stdout, "%-24s %-10s %s\n", p.Name, state, p.For)
	}
	if missing > 0 {
		return fmt.Errorf("%d packages are missing: lab deps --install", missing)
	}
	return nil
}
