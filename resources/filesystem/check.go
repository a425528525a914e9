package filesystem

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/systemd"
)

// sameDevice reports whether two names of devices could be those of one: they
// lead to the same, or it cannot be seen from here where they lead. A bind mount
// and a file system in memory have no name to compare.
func sameDevice(a, b string) bool {
	if !strings.HasPrefix(a, "/dev/") || !strings.HasPrefix(b, "/dev/") {
		// "server:/dir" is the same wherever it is written; anything else is told by
		// the kernel in its own words.
		return !strings.Contains(a, ":/") || !strings.Contains(b, ":/")
	}
	var x, y unix.Stat_t
	if unix.Stat(a, &x) != nil || unix.Stat(b, &y) != nil {
		return true
	}
	return x.Rdev == y.Rdev
}

// Check judges the arguments and this machine: the device, the mount point, the
// type, and who else would mount it. It changes nothing.
func (d *Driver) Check(ctx context.Context, s resources.Spec) (findings []resources.Finding) {
	m, err := Parse(s)
	if err != nil {
		return []resources.Finding{{Fatal: true, Text: err.Error()}}
	}
	findings = append(findings, machine{root: "/"}.examine(m)...)
	there, err := d.units.Mounted(ctx, m.Where)
	if err != nil {
		return append(findings, resources.Finding{Unknown: true, Text: fmt.Sprintf("%s could not be examined: %v", systemd.MountUnit(m.Where), err)})
	}
	if err := contradicts(m, there); err != nil {
		findings = append(findings, resources.Finding{Fatal: true, Text: err.Error()})
	}
	if m.What == "" && there.File == "" && there.Status != resources.Running {
		findings = append(findings, resources.Finding{Fatal: true, Text: fmt.Sprintf(
			"nothing says what belongs in %s: write it, as in Filesystem::/dev/drbd0::%s, or a line in /etc/fstab with the option noauto", m.Where, m.Where)})
	}
	if starters := slices.DeleteFunc(slices.Clone(there.Starters), isFstab); len(starters) > 0 {
		findings = append(findings, resources.Finding{Text: fmt.Sprintf(
			"%s is started by %s beside systole: run \"systemctl disable %s\"", systemd.MountUnit(m.Where), slices.Min(starters), systemd.MountUnit(m.Where))})
	}
	return findings
}

// isFstab knows the targets that pull in what /etc/fstab has mounted at boot
// (systemd-fstab-generator(8)), which is reported by its line there.
func isFstab(target string) bool { return target == "local-fs.target" || target == "remote-fs.target" }

// A machine is one whose files are below root.
type machine struct{ root string }

func (k machine) path(parts ...string) string {
	return filepath.Join(append([]string{k.root}, parts...)...)
}

func (k machine) examine(m systemd.Mount) (findings []resources.Finding) {
	add := func(f resources.Finding) {
		if f.Text != "" {
			findings = append(findings, f)
		}
	}
	add(k.device(m))
	add(k.place(m.Where))
	add(k.kind(m))
	add(k.fstab(m.Where))
	return findings
}

// device looks for a block device. One may be brought by a resource to the left.
func (k machine) device(m systemd.Mount) (f resources.Finding) {
	if !strings.HasPrefix(m.What, "/dev/") {
		return f
	}
	there, err := exists(k.path(m.What))
	switch {
	case there:
	case err != nil:
		return resources.Finding{Unknown: true, Text: fmt.Sprintf("%s could not be looked for: %v", m.What, err)}
	case k.root == "/" && !seesDevices():
		return resources.Finding{Unknown: true, Text: m.What + " cannot be seen from here: this process has a /dev of its own"}
	default:
		f.Text = fmt.Sprintf("there is no %s on this machine now: unless a resource to the left brings it, the mount will fail", m.What)
	}
	return f
}

// seesDevices reports whether /dev is the kernel's, and not one made for a
// sandbox or a container, in which most devices are missing.
func seesDevices() bool {
	var s unix.Statfs_t
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	return unix.Statfs("/dev", &s) == nil && err == nil && devMounted(string(mounts), "devtmpfs")
}

// devMounted reports whether a table of mounts has a file system of a type on
// /dev, as the last one there (proc_pid_mountinfo(5)).
func devMounted(mounts, kind string) (is bool) {
	for line := range strings.Lines(mounts) {
		left, right, found := strings.Cut(line, " - ")
		fields := strings.Fields(left)
		if !found || len(fields) < 5 || fields[4] != "/dev" {
			continue
		}
		rest := strings.Fields(right)
		is = len(rest) > 0 && rest[0] == kind
	}
	return is
}

func (k machine) place(where string) (f resources.Finding) {
	info, err := os.Stat(k.path(where))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.Text = fmt.Sprintf("there is no directory %s: it is made when the file system is mounted", where)
	case err != nil:
		f = resources.Finding{Unknown: true, Text: fmt.Sprintf("%s could not be looked at: %v", where, err)}
	case !info.IsDir():
		f = resources.Finding{Fatal: true, Text: where + " is not a directory: nothing can be mounted there"}
	}
	return f
}

// journalled are the types that the script mounts without a check of the file
// system before: they repair themselves, or have nothing to repair.
var journalled = strings.Fields("ext3 ext4 ext4dev reiserfs reiser4 nss xfs jfs btrfs f2fs vfat fat nfs4 nfs efs cifs smbfs " +
	"ocfs2 gfs2 lustre glusterfs ceph tmpfs overlay overlayfs rozofs zfs cvfs squashfs iso9660")

// kind looks for the type of file system where the kernel has it: built in,
// loaded, or as a module to be loaded; or a program that mounts it.
func (k machine) kind(m systemd.Mount) (f resources.Finding) {
	bind := strings.Contains(","+m.Options+",", "bind,")
	switch {
	case m.Type == "" && strings.HasPrefix(m.What, "/dev/"):
		f.Text = fmt.Sprintf("no type of file system is given: heartbeat's script checks such a file system with fsck before it mounts it, systole does not; give the type, as in Filesystem::%s::%s::ext4", m.What, m.Where)
		return f
	case m.Type == "" || bind:
		return f
	}
	known, err := k.knows(m.Type)
	switch {
	case err != nil:
		return resources.Finding{Unknown: true, Text: fmt.Sprintf("whether this kernel has file systems of type %s could not be found out: %v", m.Type, err)}
	case !known:
		return resources.Finding{Fatal: true, Text: fmt.Sprintf("this kernel has no file systems of type %s, and there is no mount.%s", m.Type, m.Type)}
	case strings.HasPrefix(m.What, "/dev/") && !slices.Contains(journalled, m.Type) && !strings.HasPrefix(m.Type, "fuse"):
		f.Text = fmt.Sprintf("heartbeat's script checks a file system of type %s with fsck before it mounts it, systole does not", m.Type)
	}
	return f
}

func (k machine) knows(kind string) (bool, error) {
	loaded, err := os.ReadFile(k.path("/proc/filesystems"))
	if err != nil {
		return false, err
	}
	family, _, _ := strings.Cut(kind, ".") // fuse.sshfs is of fuse
	for line := range strings.Lines(string(loaded)) {
		if fields := strings.Fields(line); len(fields) > 0 && fields[len(fields)-1] == family {
			return true, nil
		}
	}
	for _, dir := range []string{"/sbin", "/usr/sbin"} {
		if there, _ := exists(k.path(dir, "mount."+kind)); there {
			return true, nil
		}
	}
	return k.hasModule(family)
}

// hasModule looks into the lists of modules of the kernel that runs, which a
// sandbox may hide. A kernel that has no modules at all has no such lists.
func (k machine) hasModule(name string) (bool, error) {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return false, err
	}
	dir := k.path("/lib/modules", unix.ByteSliceToString(u.Release[:]))
	for _, list := range []string{"modules.dep", "modules.builtin"} {
		f, err := os.Open(filepath.Join(dir, list))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return false, err
		}
		found := false
		for lines := bufio.NewScanner(f); lines.Scan() && !found; {
			module, _, _ := strings.Cut(lines.Text(), ":")
			base, _, _ := strings.Cut(filepath.Base(module), ".")
			found = base == name
		}
		f.Close()
		if found {
			return true, nil
		}
	}
	return false, nil
}

// fstab reports a line of /etc/fstab that has the place mounted at boot, on both
// nodes at once.
func (k machine) fstab(where string) (f resources.Finding) {
	text, err := os.ReadFile(k.path("/etc/fstab"))
	if err != nil {
		return f // there need not be one
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 4 || strings.HasPrefix(fields[0], "#") || filepath.Clean(fields[1]) != where {
			continue
		}
		if !slices.Contains(strings.Split(fields[3], ","), "noauto") {
			f.Text = fmt.Sprintf("/etc/fstab has %s mounted at boot beside systole: remove its line, or add the option noauto", where)
		}
	}
	return f
}
