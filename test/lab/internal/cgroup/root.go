package cgroup

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Root gives the mount point of the version 2 tree: /sys/fs/cgroup where the
// machine has nothing else, /sys/fs/cgroup/unified beside the version 1 trees.
// Where none is mounted it mounts one at that second place, or at the first
// where nothing is mounted there either.
func Root() (string, error) {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "", err
	}
	if root, ok := mountPoint(string(mounts), "cgroup2"); ok {
		return root, nil
	}
	root := "/sys/fs/cgroup"
	if _, ok := mountPoint(string(mounts), "cgroup"); ok {
		root = "/sys/fs/cgroup/unified"
		if err := os.MkdirAll(root, 0o755); err != nil {
			return "", err
		}
	}
	if err := unix.Mount("cgroup2", root, "cgroup2", 0, ""); err != nil {
		return "", fmt.Errorf("mount the version 2 control groups on %s: %w", root, err)
	}
	return root, nil
}

// mountPoint finds where the first file system of that type is mounted. The
// format is that of proc_pid_mountinfo(5).
func mountPoint(mountinfo, fstype string) (string, bool) {
	for line := range strings.Lines(mountinfo) {
		before, after, ok := strings.Cut(line, " - ")
		fields := strings.Fields(before)
		if ok && len(fields) > 4 && strings.HasPrefix(after, fstype+" ") {
			return fields[4], true
		}
	}
	return "", false
}
