package systemd

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestMountUnit(t *testing.T) {
	for where, want := range map[string]string{
		"/srv/data":      "srv-data.mount",
		"/srv/my-data":   `srv-my\x2ddata.mount`,
		"/srv/.hidden/x": "srv-.hidden-x.mount",
		"/.a b":          `\x2ea\x20b.mount`,
	} {
		if got := MountUnit(where); got != want {
			t.Errorf("MountUnit(%s): got %s, want %s", where, got, want)
		}
	}
}

var data = Mount{What: "/dev/drbd0", Where: "/srv/data", Type: "ext4", Options: "noatime"}

const (
	makes  = "make srv-data.mount Description=/srv/data, for systole Options=noatime Type=ext4 What=/dev/drbd0"
	starts = "start srv-data.mount replace"
	stops  = "stop srv-data.mount replace"
	forget = "reset srv-data.mount"
)

// file is a unit that the administrator has written.
var file = properties{"FragmentPath": "/etc/systemd/system/srv-data.mount"}

func TestMount(t *testing.T) {
	for _, tt := range []struct {
		name      string
		mount     Mount
		unit      *fakeUnit // that is there; nil: none
		transient *fakeUnit
		calls     []string
		err       string
	}{
		{name: "a unit is made", mount: data, calls: []string{forget, makes, starts}},
		{name: "one that is there is started as it is", mount: data, unit: &fakeUnit{more: file}, calls: []string{forget, starts}},
		{name: "also where haresources knows the place alone", mount: Mount{Where: "/srv/data"}, unit: &fakeUnit{more: file}, calls: []string{forget, starts}},
		{name: "what is mounted is left alone", mount: data, unit: &fakeUnit{active: "active", sub: "mounted"}},
		{
			name: "one that systemd has not forgotten since it was mounted by hand is no obstacle", mount: data,
			unit: &fakeUnit{}, calls: []string{forget, makes, starts},
		},
		{
			name: "nor is one of an earlier occasion that goes in a moment", mount: data,
			unit: &fakeUnit{
				more:   properties{"FragmentPath": "/run/systemd/transient/srv-data.mount", "Transient": true},
				onLook: func(u *fakeUnit) { u.missing = true },
			},
			calls: []string{forget, makes, starts},
		},
		{
			name: "a place of which nothing is known", mount: Mount{Where: "/srv/data"},
			err: "nothing says what belongs in /srv/data: there is neither a srv-data.mount nor a line in /etc/fstab",
		},
		{
			name: "a masked unit", mount: data, unit: &fakeUnit{masked: true},
			err: `srv-data.mount is masked: run "systemctl unmask srv-data.mount"`,
		},
		{
			name: "a disk that cannot be mounted", mount: data,
			transient: &fakeUnit{onStart: func(u *fakeUnit) string {
				u.active, u.sub = "failed", "failed"
				u.mount["Result"] = "exit-code"
				return "failed"
			}},
			calls: []string{forget, makes, starts},
			err:   `srv-data.mount is failed (failed), exit-code, see "journalctl -u srv-data.mount"`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			units := map[string]*fakeUnit{}
			if tt.unit != nil {
				units["srv-data.mount"] = tt.unit
			}
			d, f, _ := newDriver(t, units)
			f.mu.Lock()
			f.transient = tt.transient
			f.mu.Unlock()
			err := d.Mount(within(t, 10*time.Second), tt.mount)
			if text(err) != tt.err {
				t.Errorf("Mount:\n got %s\nwant %s", text(err), tt.err)
			}
			if got := f.log(); !slices.Equal(got, tt.calls) {
				t.Errorf("asked for:\n got %q\nwant %q", got, tt.calls)
			}
			f.mu.Lock()
			defer f.mu.Unlock()
			if u := f.units["srv-data.mount"]; u != nil && u.pinned {
				t.Error("systemd must keep the unit, and could not make another")
			}
		})
	}
}

func TestMountOfAServer(t *testing.T) {
	d, f, _ := newDriver(t, map[string]*fakeUnit{})
	if err := d.Mount(within(t, 10*time.Second), Mount{What: "server:/export", Where: "/srv/data", Force: true}); err != nil {
		t.Fatal(err)
	}
	if got, want := f.log()[1], "make srv-data.mount Description=/srv/data, for systole ForceUnmount=true What=server:/export"; got != want {
		t.Errorf("asked for:\n got %s\nwant %s", got, want)
	}
}

func TestUnmount(t *testing.T) {
	mounted := func(u fakeUnit) *fakeUnit {
		u.active, u.sub = "active", "mounted"
		return &u
	}
	for _, tt := range []struct {
		name  string
		unit  *fakeUnit
		calls []string
		err   string
	}{
		{name: "what is mounted goes", unit: mounted(fakeUnit{}), calls: []string{stops}},
		{name: "nothing is mounted", unit: &fakeUnit{missing: true}},
		{name: "what could not be mounted is not", unit: &fakeUnit{active: "failed", sub: "failed"}},
		{
			name:  "what is in use stays",
			unit:  mounted(fakeUnit{mount: properties{"Result": "exit-code"}, onStop: func(*fakeUnit) string { return "failed" }}),
			calls: []string{stops},
			err:   `srv-data.mount is active (mounted), exit-code, see "journalctl -u srv-data.mount"`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, f, _ := newDriver(t, map[string]*fakeUnit{"srv-data.mount": tt.unit})
			if err := d.Unmount(within(t, 10*time.Second), "/srv/data"); text(err) != tt.err {
				t.Errorf("Unmount:\n got %s\nwant %s", text(err), tt.err)
			}
			if got := f.log(); !slices.Equal(got, tt.calls) {
				t.Errorf("asked for:\n got %q\nwant %q", got, tt.calls)
			}
		})
	}
}

func TestMounted(t *testing.T) {
	what := properties{"What": "/dev/drbd0", "Type": "ext4"}
	for _, tt := range []struct {
		name string
		unit *fakeUnit
		want string
	}{
		{name: "nothing", unit: &fakeUnit{missing: true}, want: "stopped"},
		{name: "something", unit: &fakeUnit{active: "active", sub: "mounted", mount: what}, want: "running /dev/drbd0 ext4"},
		{name: "a unit that could mount it", unit: &fakeUnit{more: file, mount: what}, want: "stopped /dev/drbd0 ext4 /etc/systemd/system/srv-data.mount"},
		{name: "one that failed to", unit: &fakeUnit{active: "failed", sub: "failed", mount: what}, want: "stopped /dev/drbd0 ext4"},
		{name: "one that is about to", unit: &fakeUnit{active: "activating", sub: "mounting", mount: what}, want: "failed /dev/drbd0 ext4"},
		{
			name: "one that does at boot",
			unit: &fakeUnit{more: properties{"FragmentPath": "/run/systemd/generator/srv-data.mount", "RequiredBy": []string{"local-fs.target"}}},
			want: "stopped /run/systemd/generator/srv-data.mount local-fs.target",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, _, _ := newDriver(t, map[string]*fakeUnit{"srv-data.mount": tt.unit})
			m, err := d.Mounted(within(t, 10*time.Second), "/srv/data")
			fields := []string{m.Status.String(), m.What, m.Type, m.File, strings.Join(m.Starters, " ")}
			got := strings.Join(strings.Fields(strings.Join(fields, " ")), " ")
			if got != tt.want || err != nil {
				t.Errorf("Mounted:\n got %s, %v\nwant %s", got, err, tt.want)
			}
		})
	}
}
