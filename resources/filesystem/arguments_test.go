package filesystem

import (
	"strings"
	"testing"

	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/resourcetest"
	"github.com/systole-ha/systole/resources/systemd"
)

var spec, text, ok = resourcetest.Spec, resourcetest.Text, resourcetest.OK

func TestParse(t *testing.T) {
	const takes = "Filesystem takes device, mount point and, optional, type and options, as in Filesystem::/dev/drbd0::/srv/data::ext4::noatime"
	for _, tt := range []struct {
		name, word string
		want       systemd.Mount
		err        string
	}{
		{name: "a device and its place", word: "Filesystem::/dev/sda1::/srv/data", want: systemd.Mount{What: "/dev/sda1", Where: "/srv/data"}},
		{name: "its type", word: "Filesystem::/dev/sda1::/srv/data::ext4", want: systemd.Mount{What: "/dev/sda1", Where: "/srv/data", Type: "ext4"}},
		{name: "and options", word: "Filesystem::/dev/sda1::/srv/data::ext4::ro,noatime", want: systemd.Mount{What: "/dev/sda1", Where: "/srv/data", Type: "ext4", Options: "ro,noatime"}},
		{name: "options without a type", word: "Filesystem::/dev/sda1::/srv/data::::ro", want: systemd.Mount{What: "/dev/sda1", Where: "/srv/data", Options: "ro"}},
		{name: "slashes at the end mean nothing", word: "Filesystem::/dev/sda1::/srv//data//", want: systemd.Mount{What: "/dev/sda1", Where: "/srv/data"}},
		{name: "a label", word: "Filesystem::-Ldata1::/srv/data", want: systemd.Mount{What: "/dev/disk/by-label/data1", Where: "/srv/data"}},
		{name: "a UUID", word: "Filesystem::-U0a1b-2c::/srv/data", want: systemd.Mount{What: "/dev/disk/by-uuid/0a1b-2c", Where: "/srv/data"}},
		{name: "a label in so many words", word: "Filesystem::--label=my/data::/srv/data", want: systemd.Mount{What: `/dev/disk/by-label/my\x2fdata`, Where: "/srv/data"}},
		{name: "a UUID as fstab has it", word: "Filesystem::UUID=0a1b::/srv/data", want: systemd.Mount{What: "/dev/disk/by-uuid/0a1b", Where: "/srv/data"}},
		{name: "a server", word: "Filesystem::server:/export::/srv/data::nfs::ro", want: systemd.Mount{What: "server:/export", Where: "/srv/data", Type: "nfs", Options: "ro", Force: true}},
		{name: "a directory", word: "Filesystem::/srv/all::/srv/data::none::bind", want: systemd.Mount{What: "/srv/all", Where: "/srv/data", Options: "bind"}},
		{name: "memory", word: "Filesystem::tmpfs::/srv/data::tmpfs::size=1m", want: systemd.Mount{What: "tmpfs", Where: "/srv/data", Type: "tmpfs", Options: "size=1m"}},
		{name: "a place that fstab knows", word: "Filesystem::/srv/data", want: systemd.Mount{Where: "/srv/data"}},
		{name: "nothing", word: "Filesystem", err: takes},
		{name: "a device alone", word: "Filesystem::/dev/sda1", err: "where /dev/sda1 is to be mounted is missing: " + takes},
		{name: "too much", word: "Filesystem::/dev/sda1::/srv/data::ext4::ro::noatime", err: takes},
		{name: "no device", word: "Filesystem::::/srv/data", err: "a device is missing: " + takes},
		{name: "an option without a label", word: "Filesystem::-L::/srv/data", err: `"-L" is not an option that names a device: those are -L with a label and -U with a UUID, as in -Ldata`},
		{name: "a label that is empty", word: "Filesystem::LABEL=::/srv/data", err: `"LABEL=" names no device: write a label or UUID behind it, as in -Ldata`},
		{name: "another option", word: "Filesystem::-tnfs::/srv/data", err: `"-tnfs" is not an option that names a device: those are -L with a label and -U with a UUID, as in -Ldata`},
		{name: "a place without its beginning", word: "Filesystem::/dev/sda1::data", err: `"data" is not a mount point: write its whole path, as in /srv/data`},
		{name: "everything", word: "Filesystem::/dev/sda1:://", err: `"//" cannot be given up: it is the root of everything`},
		{name: "everything, in disguise", word: "Filesystem::/dev/sda1::/srv/..", err: `"/srv/.." cannot be given up: it is the root of everything`},
		{name: "options in the place of the type", word: "Filesystem::/dev/sda1::/srv/data::ro,noatime", err: `"ro,noatime" is not a type of file system: ` + takes},
		{name: "a type that is a path", word: "Filesystem::/dev/sda1::/srv/data::/sbin/mount", err: `"/sbin/mount" is not a type of file system: ` + takes},
		{name: "a place with a new line", word: "Filesystem::/dev/sda1::/srv/da\nta", err: `"/srv/da\nta" has characters that cannot be printed`},
		{name: "a place too long for a unit", word: "Filesystem::/dev/sda1::/srv/" + strings.Repeat("d", 250), err: "/srv/" + strings.Repeat("d", 250) + " is too long for the name of a unit"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := Parse(spec(t, tt.word)); got != tt.want || text(err) != tt.err {
				t.Errorf("Parse(%q):\n got %+v, %q\nwant %+v, %q", tt.word, got, text(err), tt.want, tt.err)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, word := range []string{
		"Filesystem::/dev/sda1::/srv/data::ext4::ro", "Filesystem::-Ldata::/srv/data", "Filesystem::UUID=0a1b::/srv/data", "Filesystem::/srv/data",
	} {
		f.Add(word)
	}
	f.Fuzz(func(t *testing.T, word string) {
		s, err := resources.ParseSpec(word)
		if err != nil {
			return
		}
		m, err := Parse(s)
		if err != nil {
			return
		}
		if m.Where == "/" || !strings.HasPrefix(m.Where, "/") || strings.HasSuffix(m.Where, "/") || strings.Contains(m.Where, "/../") {
			t.Errorf("Parse(%q) has the place %q", word, m.Where)
		}
		if strings.HasPrefix(m.What, "-") || len(systemd.MountUnit(m.Where)) > 255 {
			t.Errorf("Parse(%q) = %+v", word, m)
		}
	})
}
