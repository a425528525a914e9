package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// A disk is a node's file system: this machine's own, with what the node
// changes kept beside it in memory.
type disk struct{ dir string }

func (d disk) root() string { return filepath.Join(d.dir, "root") }

// mount makes the file system, new or with what it held before.
func (d disk) mount() error {
	upper, work := filepath.Join(d.dir, "upper"), filepath.Join(d.dir, "work")
	for _, dir := range []string{upper, work, d.root()} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	options := fmt.Sprintf("lowerdir=/,upperdir=%s,workdir=%s", upper, work)
	if err := unix.Mount("overlay", d.root(), "overlay", 0, options); err != nil {
		return fmt.Errorf("mount an overlay of / on %s: %w", d.root(), err)
	}
	return nil
}

// wipe forgets what the node changed. The node must be off.
func (d disk) wipe() error {
	if err := unix.Unmount(d.root(), 0); err != nil {
		return fmt.Errorf("unmount %s: %w", d.root(), err)
	}
	if err := os.RemoveAll(d.dir); err != nil {
		return err
	}
	return d.mount()
}

// prepare makes a new disk that of a node: named, with none of this machine's
// own configuration of what is tested, and starting nothing at boot that the
// test did not ask for.
func (d disk) prepare(name, machineID, hosts string) error {
	root, err := os.OpenRoot(d.root()) // refuses links that lead out to this machine
	if err != nil {
		return err
	}
	defer root.Close()
	for _, pattern := range ofThisMachine {
		if err := removeAll(root, pattern); err != nil {
			return err
		}
	}
	for path, content := range map[string]string{
		"etc/hostname":   name + "\n",
		"etc/hosts":      hosts,
		"etc/machine-id": machineID + "\n",
		"etc/fstab":      "",
		"etc/systemd/system-preset/00-lab.preset": "disable *\n",
		"etc/systemd/journald.conf.d/50-lab.conf": "[Journal]\nStorage=persistent\nRateLimitIntervalSec=0\nSystemMaxUse=64M\n",
	} {
		if err := writeIn(root, path, content); err != nil {
			return err
		}
	}
	if err := linkUnit(root, "default.target", "/lib/systemd/system/multi-user.target"); err != nil {
		return err
	}
	for _, unit := range masked {
		if err := linkUnit(root, unit, "/dev/null"); err != nil {
			return err
		}
	}
	return nil
}

func linkUnit(root *os.Root, unit, to string) error {
	path := "etc/systemd/system/" + unit
	if err := root.RemoveAll(path); err != nil {
		return err
	}
	return root.Symlink(to, path)
}

// ofThisMachine is removed from a node's disk: what is enabled here at boot
// (units by their links, scripts of System V by theirs), and what clusters
// here are configured as and remember of themselves.
var ofThisMachine = []string{
	"etc/systemd/system/*.wants", "etc/systemd/system/*.requires",
	"etc/rc?.d/[SK]*",
	"etc/ha.d/ha.cf", "etc/ha.d/haresources", "etc/ha.d/authkeys", "etc/systole", "etc/heartbeat",
	"var/lib/heartbeat/hb_*", "var/lib/heartbeat/delhostcache", "var/lib/heartbeat/hostcache", "var/lib/systole",
	"etc/keepalived/keepalived.conf",
	"var/log/journal/*", "etc/machine-id", "var/lib/dbus/machine-id", "etc/hostname", "etc/resolv.conf",
}

// masked are units that systemd's own targets pull in without being enabled,
// and that would wait for devices, ask for a login or change the network.
var masked = []string{
	"console-getty.service", "networking.service", "systemd-networkd.service", "systemd-networkd.socket",
	"systemd-resolved.service", "systemd-timesyncd.service",
}

func removeAll(root *os.Root, pattern string) error {
	paths, err := fs.Glob(root.FS(), pattern)
	if err != nil {
		return err
	}
	for _, path := range paths {
		if err := root.RemoveAll(path); err != nil {
			return err
		}
	}
	return nil
}

func writeIn(root *os.Root, path, content string) error {
	if err := root.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return root.WriteFile(path, []byte(content), 0o644)
}

// unmountBelow unmounts everything mounted at dir and below it, last first.
func unmountBelow(dir string) error {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	var points []string
	for line := range strings.Lines(string(mounts)) {
		if fields := strings.Fields(line); len(fields) > 4 && within(dir, fields[4]) {
			points = append(points, fields[4])
		}
	}
	var errs []error
	for i := len(points) - 1; i >= 0; i-- {
		if err := unix.Unmount(points[i], unix.MNT_DETACH); err != nil && !errors.Is(err, unix.EINVAL) {
			errs = append(errs, fmt.Errorf("unmount %s: %w", points[i], err))
		}
	}
	return errors.Join(errs...)
}

func within(dir, path string) bool {
	return path == dir || strings.HasPrefix(path, dir+"/")
}
