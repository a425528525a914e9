package cgroup

import "testing"

func TestMountPoint(t *testing.T) {
	const hybrid = `27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
34 33 0:30 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
43 33 0:39 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
`
	tests := []struct {
		name, mountinfo, fstype, want string
	}{
		{"the version 2 tree beside version 1", hybrid, "cgroup2", "/sys/fs/cgroup/unified"},
		{"version 1 is not taken for version 2", hybrid, "cgroup", "/sys/fs/cgroup/cpu"},
		{"optional fields do not shift the columns", "30 23 0:26 / /sys/fs/cgroup rw shared:4 master:1 - cgroup2 cgroup2 rw\n", "cgroup2", "/sys/fs/cgroup"},
		{"none mounted", "27 1 254:0 / / rw - ext4 /dev/vda rw\n", "cgroup2", ""},
	}
	for _, tt := range tests {
		got, ok := mountPoint(tt.mountinfo, tt.fstype)
		if got != tt.want || ok != (tt.want != "") {
			t.Errorf("%s: got %q, %v, want %q", tt.name, got, ok, tt.want)
		}
	}
}
