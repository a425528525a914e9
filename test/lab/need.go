package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A Package is a Debian package the lab or its tests need, and a file that is
// there when it is installed: a command, or a path where it is not in PATH.
type Package struct {
	Name string
	File string
	For  string
	Core bool // without it no lab; the others are what nodes run in tests
}

// Packages are all of them, for Debian 12.
var Packages = []Package{
	{"systemd", "systemctl", "the nodes' init", true},
	{"systemd-container", "systemd-nspawn", "booting nodes", true},
	{"dbus", "dbus-daemon", "systemd's interface in the nodes", true},
	{"nftables", "nft", "cut and lossy links", true},
	{"iproute2", "ip", "network namespaces", true},
	{"util-linux", "nsenter", "running commands in nodes", true},
	{"iputils-ping", "ping", "reaching nodes", false},
	{"procps", "ps", "looking at nodes", false},
	{"nginx-light", "nginx", "a service to fail over", false},
	{"apache2", "apache2", "a service to fail over", false},
	{"etcd-server", "etcd", "an arbiter's store", false},
	{"heartbeat", "/usr/libexec/heartbeat/heartbeat", "the real peer", false},
	{"keepalived", "keepalived", "a rival to measure", false},
	{"prometheus", "prometheus", "rules and dashboards", false},
	{"prometheus-alertmanager", "prometheus-alertmanager", "alerts", false},
	{"chromium", "chromium", "the web page", false},
	{"python3", "python3", "the manual's receiver of webhooks", false},
}

// sbin is looked through after PATH: a root shell entered by su has no sbin.
var sbin = []string{"/usr/local/sbin", "/usr/sbin", "/sbin"}

// Installed says whether the package's file is there. A package of which only
// the configuration is left is not installed; nor does it matter which package
// brought the file.
func (p Package) Installed() bool {
	if filepath.IsAbs(p.File) {
		_, err := os.Stat(p.File)
		return err == nil
	}
	if _, err := exec.LookPath(p.File); err == nil {
		return true
	}
	for _, dir := range sbin {
		if _, err := os.Stat(filepath.Join(dir, p.File)); err == nil {
			return true
		}
	}
	return false
}

// checkMachine says what keeps this machine from running a lab, all at once.
func checkMachine(packages []Package) error {
	if os.Geteuid() != 0 {
		return errors.New("the lab makes namespaces and mounts: run it as root")
	}
	var errs []error
	for _, p := range packages {
		if p.Core && !p.Installed() {
			errs = append(errs, fmt.Errorf("%s: not found: apt-get install %s", p.File, p.Name))
		}
	}
	return errors.Join(errs...)
}

// policy is what keeps Debian's packages from starting their services when
// they are installed: invoke-rc.d(8) asks it, and 101 forbids.
const policy = "/usr/sbin/policy-rc.d"

// Install installs those of the packages that are missing, without starting
// their services on this machine. It returns what apt-get said.
func Install(packages []Package) (string, error) {
	var names []string
	for _, p := range packages {
		if !p.Installed() {
			names = append(names, p.Name)
		}
	}
	if len(names) == 0 {
		return "", nil
	}
	if os.Geteuid() != 0 {
		return "", fmt.Errorf("missing packages: as root, apt-get install --no-install-recommends %s", strings.Join(names, " "))
	}
	restore, err := forbidServices(policy)
	if err != nil {
		return "", err
	}
	said, err := aptGet("update")
	if err == nil {
		var more string
		more, err = aptGet(append([]string{"install", "--yes", "--no-install-recommends"}, names...)...)
		said += more
	}
	return said, errors.Join(err, restore())
}

func aptGet(args ...string) (string, error) {
	cmd := exec.Command("apt-get", args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("apt-get %s: %w:\n%s", strings.Join(args, " "), err, tail(string(out), 20))
	}
	return string(out), nil
}

// forbidServices puts a policy that starts nothing at path, and gives back the
// function that leaves what was there before, a symbolic link included. What a
// killed run set aside is what was there before.
func forbidServices(path string) (restore func() error, err error) {
	aside := path + ".systole-lab"
	restore = func() error { return os.Rename(aside, path) }
	if _, err := os.Lstat(aside); errors.Is(err, fs.ErrNotExist) {
		switch err := os.Rename(path, aside); {
		case errors.Is(err, fs.ErrNotExist):
			restore = func() error { return os.Remove(path) }
		case err != nil:
			return nil, err
		}
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\nexit 101\n"), 0o755); err != nil {
		return nil, errors.Join(err, restore())
	}
	return restore, nil
}

// tail gives the last lines of a text.
func tail(text string, lines int) string {
	all := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
