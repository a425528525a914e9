package filesystem

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/systemd"
)

// build makes the files of a machine.
func build(t *testing.T, files map[string]string) machine {
	t.Helper()
	var u unix.Utsname
	ok(t, unix.Uname(&u))
	k := machine{root: t.TempDir()}
	for name, content := range files {
		if filepath.Dir(name) == "/lib/modules" {
			name = filepath.Join("/lib/modules", unix.ByteSliceToString(u.Release[:]), filepath.Base(name))
		}
		ok(t, os.MkdirAll(filepath.Dir(k.path(name)), 0o700))
		ok(t, os.WriteFile(k.path(name), []byte(content), 0o600))
	}
	return k
}

func TestExamine(t *testing.T) {
	fine := map[string]string{
		"/dev/drbd0":               "",
		"/srv/data/x":              "",
		"/proc/filesystems":        "nodev\tsysfs\nnodev\ttmpfs\n\text4\n\text2\nnodev\tfuse\n",
		"/lib/modules/modules.dep": "kernel/fs/xfs/xfs.ko.xz: kernel/lib/crc.ko\nkernel/fs/nfs/nfs.ko:\n",
		"/etc/fstab":               "# /dev/drbd0 /srv/data ext4 defaults 0 0\n/dev/sda1 / ext4 defaults 0 1\n",
	}
	warning := func(text string) []resources.Finding { return []resources.Finding{{Text: text}} }
	fatal := func(text string) []resources.Finding { return []resources.Finding{{Fatal: true, Text: text}} }
	for _, tt := range []struct {
		name, word string
		file, is   string // one file that is other; "-": is not there
		want       []resources.Finding
	}{
		{name: "nothing to say", word: "Filesystem::/dev/drbd0::/srv/data::ext4"},
		{name: "a module that can be loaded", word: "Filesystem::/dev/drbd0::/srv/data::xfs"},
		{name: "a server", word: "Filesystem::server:/export::/srv/data::nfs"},
		{name: "a program's file system", word: "Filesystem::me@host:/::/srv/data::fuse.sshfs"},
		{name: "a directory", word: "Filesystem::/srv::/srv/data::none::bind"},
		{name: "a program that mounts it", word: "Filesystem::/dev/drbd0::/srv/data::ntfs-3g", file: "/sbin/mount.ntfs-3g", want: warning("heartbeat's script checks a file system of type ntfs-3g with fsck before it mounts it, systole does not")},
		{name: "a device that is not there", word: "Filesystem::/dev/drbd0::/srv/data::ext4", file: "/dev/drbd0", is: "-", want: warning("there is no /dev/drbd0 on this machine now: unless a resource to the left brings it, the mount will fail")},
		{name: "a place that is not there", word: "Filesystem::/dev/drbd0::/srv/none::ext4", want: warning("there is no directory /srv/none: it is made when the file system is mounted")},
		{name: "a place that is a file", word: "Filesystem::/dev/drbd0::/srv/data/x::ext4", want: fatal("/srv/data/x is not a directory: nothing can be mounted there")},
		{name: "a type that nobody knows", word: "Filesystem::/dev/drbd0::/srv/data::ext44", want: fatal("this kernel has no file systems of type ext44, and there is no mount.ext44")},
		{name: "a type that needs a check", word: "Filesystem::/dev/drbd0::/srv/data::ext2", want: warning("heartbeat's script checks a file system of type ext2 with fsck before it mounts it, systole does not")},
		{name: "no type", word: "Filesystem::/dev/drbd0::/srv/data", want: warning("no type of file system is given: heartbeat's script checks such a file system with fsck before it mounts it, systole does not; give the type, as in Filesystem::/dev/drbd0::/srv/data::ext4")},
		{
			name: "a line in fstab", word: "Filesystem::/dev/drbd0::/srv/data::ext4", file: "/etc/fstab", is: "/dev/drbd0 /srv/data/ ext4 defaults 0 0\n",
			want: warning("/etc/fstab has /srv/data mounted at boot beside systole: remove its line, or add the option noauto"),
		},
		{name: "one that has it not mounted at boot", word: "Filesystem::/dev/drbd0::/srv/data::ext4", file: "/etc/fstab", is: "/dev/drbd0 /srv/data ext4 ro,noauto 0 0\n"},
		{name: "no fstab", word: "Filesystem::/dev/drbd0::/srv/data::ext4", file: "/etc/fstab", is: "-"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := map[string]string{}
			for name, content := range fine {
				files[name] = content
			}
			if tt.file != "" {
				files[tt.file] = tt.is
			}
			if tt.is == "-" {
				delete(files, tt.file)
			}
			m, err := Parse(spec(t, tt.word))
			ok(t, err)
			if got := build(t, files).examine(m); !slices.Equal(got, tt.want) {
				t.Errorf("examine(%s):\n got %v\nwant %v", tt.word, got, tt.want)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	place := t.TempDir()
	for _, tt := range []struct {
		name, word string
		there      systemd.Mounted
		want       []resources.Finding
	}{
		{name: "memory", word: "Filesystem::tmpfs::" + place + "::tmpfs"},
		{
			name: "a place of which nothing is known", word: "Filesystem::" + place,
			want: []resources.Finding{{Fatal: true, Text: "nothing says what belongs in " + place + ": write it, as in Filesystem::/dev/drbd0::" + place + ", or a line in /etc/fstab with the option noauto"}},
		},
		{name: "one that a unit knows", word: "Filesystem::" + place, there: systemd.Mounted{Status: resources.Stopped, File: "x.mount"}},
		{
			name: "a unit that somebody starts", word: "Filesystem::" + place,
			there: systemd.Mounted{Status: resources.Stopped, File: "x.mount", Starters: []string{"multi-user.target", "local-fs.target"}},
			want:  []resources.Finding{{Text: systemd.MountUnit(place) + " is started by multi-user.target beside systole: run \"systemctl disable " + systemd.MountUnit(place) + "\""}},
		},
		{
			name: "a unit with something else", word: "Filesystem::a:/x::" + place + "::tmpfs",
			there: systemd.Mounted{Status: resources.Stopped, What: "b:/x", File: "x.mount"},
			want:  []resources.Finding{{Fatal: true, Text: "x.mount says that b:/x belongs in " + place + ", and not a:/x: remove it, or write Filesystem::" + place}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, _ := newDriver(&table{there: tt.there})
			if got := d.Check(t.Context(), spec(t, tt.word)); !slices.Equal(got, tt.want) {
				t.Errorf("Check(%s):\n got %v\nwant %v", tt.word, got, tt.want)
			}
		})
	}
}

func TestDevMounted(t *testing.T) {
	const devtmpfs = "24 31 0:5 / /dev rw shared:2 - devtmpfs udev rw\n"
	const private = "90 31 0:70 / /dev rw master:9 - tmpfs tmpfs rw\n"
	for _, tt := range []struct {
		name, mounts string
		want         bool
	}{
		{"a machine", devtmpfs, true},
		{"a sandbox covers it", devtmpfs + private, false},
		{"nothing", "25 24 0:23 / /dev/pts rw - devpts devpts rw\n", false},
		{"what cannot be read", "24 31 - x\n\n - \n", false},
	} {
		if got := devMounted(tt.mounts, "devtmpfs"); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}
