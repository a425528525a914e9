package filesystem

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/process"
	"github.com/systole-ha/systole/resources/systemd"
)

// A table is what a fake systemd has mounted.
type table struct {
	there   systemd.Mounted
	holders int // processes that keep it from being unmounted
	refuses string
	calls   []string
}

func (f *table) Mount(_ context.Context, m systemd.Mount) error {
	f.calls = append(f.calls, "mount "+m.What)
	f.there.Status, f.there.What = resources.Running, m.What
	return nil
}

var errBusy = errors.New("srv-data.mount is active (mounted)")

func (f *table) Unmount(_ context.Context, where string) error {
	f.calls = append(f.calls, "unmount "+where)
	if f.holders > 0 {
		return errBusy
	}
	f.there.Status = resources.Stopped
	return nil
}

func (f *table) Mounted(context.Context, string) (systemd.Mounted, error) { return f.there, nil }

// Run ends one holder with each signal.
func (f *table) Run(_ context.Context, j process.Job) (process.Result, error) {
	f.calls = append(f.calls, j.Path+" "+strings.Join(j.Args, " "))
	if f.refuses != "" {
		return process.Result{Code: 1, Said: f.refuses}, nil
	}
	if f.holders == 0 || f.holders > 2 {
		return process.Result{}, nil
	}
	f.holders--
	return process.Result{Output: fmt.Sprintf("vi (%d) by /srv/data/x\n", 100+f.holders)}, nil
}

func (f *table) Started(context.Context, string) (bool, error) { return false, nil }
func (f *table) Forget(context.Context, string) error          { return nil }

func newDriver(f *table) (*Driver, *[]string) {
	var told []string
	return New(f, f, []string{"/sbin/systole", "end"}, func(_ resources.Spec, ended string) { told = append(told, ended) }), &told
}

const word = "Filesystem::/dev/none-a::/srv/data::ext4"

func TestStart(t *testing.T) {
	for _, tt := range []struct {
		name, word string
		there      systemd.Mounted
		calls      []string
		err        string
	}{
		{name: "what is not mounted is", word: word, there: systemd.Mounted{Status: resources.Stopped}, calls: []string{"mount /dev/none-a"}},
		{name: "what is mounted is left alone", word: word, there: systemd.Mounted{Status: resources.Running, What: "/dev/none-a"}},
		{name: "a device of which nobody knows where it leads may be the one", word: word, there: systemd.Mounted{Status: resources.Running, What: "/dev/none-b"}},
		{
			name: "another device is an error", word: "Filesystem::/dev/null::/srv/data",
			there: systemd.Mounted{Status: resources.Running, What: "/dev/zero"},
			err:   "start Filesystem::/dev/null::/srv/data: /dev/zero is mounted on /srv/data, and not /dev/null",
		},
		{
			name: "so is another server", word: "Filesystem::a:/export::/srv/data::nfs",
			there: systemd.Mounted{Status: resources.Running, What: "b:/export"},
			err:   "start Filesystem::a:/export::/srv/data::nfs: b:/export is mounted on /srv/data, and not a:/export",
		},
		{
			name: "and a unit that says something else", word: "Filesystem::/dev/null::/srv/data",
			there: systemd.Mounted{Status: resources.Stopped, What: "/dev/zero", File: "/etc/systemd/system/srv-data.mount"},
			err: "start Filesystem::/dev/null::/srv/data: /etc/systemd/system/srv-data.mount says that /dev/zero belongs in /srv/data, and not /dev/null: " +
				"remove it, or write Filesystem::/srv/data",
		},
		{name: "a directory has no name in the kernel's table", word: "Filesystem::/srv/all::/srv/data::none::bind", there: systemd.Mounted{Status: resources.Running, What: "/dev/null"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := &table{there: tt.there}
			d, _ := newDriver(f)
			if err := d.Start(t.Context(), spec(t, tt.word)); text(err) != tt.err {
				t.Errorf("Start:\n got %s\nwant %s", text(err), tt.err)
			}
			if !slices.Equal(f.calls, tt.calls) {
				t.Errorf("done:\n got %q\nwant %q", f.calls, tt.calls)
			}
			want := tt.there.Status
			switch {
			case tt.err != "" && want == resources.Running:
				want = resources.Failed
			case tt.err == "":
				want = resources.Running
			}
			if got, err := d.Status(t.Context(), spec(t, tt.word)); got != want || err != nil {
				t.Errorf("Status: got %v, %v; want %v", got, err, want)
			}
		})
	}
}

func TestStop(t *testing.T) {
	const unmount, term, kill = "unmount /srv/data", "/sbin/systole end TERM /srv/data", "/sbin/systole end KILL /srv/data"
	for _, tt := range []struct {
		name    string
		holders int
		refuses string
		calls   []string
		told    []string
		err     string
	}{
		{name: "what nobody uses is unmounted", calls: []string{unmount}},
		{name: "a process that ends when it is told to", holders: 1, calls: []string{unmount, term, unmount}, told: []string{"vi (100) by /srv/data/x"}},
		{name: "one that does not", holders: 2, calls: []string{unmount, term, unmount, kill, unmount}, told: []string{"vi (101) by /srv/data/x, vi (100) by /srv/data/x"}},
		{
			name: "something that is no process", holders: 3, calls: []string{unmount, term, unmount, kill, unmount},
			err: "stop " + word + ": srv-data.mount is active (mounted); no process holds it: look for swap files, loop devices and exports in it",
		},
		{
			name: "processes that cannot be ended", holders: 1, refuses: "not permitted", calls: []string{unmount, term},
			err: "stop " + word + ": srv-data.mount is active (mounted); the processes that hold it could not be ended: exit status 1: not permitted",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := &table{there: systemd.Mounted{Status: resources.Running}, holders: tt.holders, refuses: tt.refuses}
			d, told := newDriver(f)
			if err := d.Stop(t.Context(), spec(t, word)); text(err) != tt.err {
				t.Errorf("Stop:\n got %s\nwant %s", text(err), tt.err)
			}
			if !slices.Equal(f.calls, tt.calls) {
				t.Errorf("done:\n got %q\nwant %q", f.calls, tt.calls)
			}
			if !slices.Equal(*told, tt.told) {
				t.Errorf("told:\n got %q\nwant %q", *told, tt.told)
			}
		})
	}
}

func TestDescribe(t *testing.T) {
	d, _ := newDriver(&table{})
	for word, want := range map[string]string{
		word:                    "/dev/none-a on /srv/data ext4",
		"Filesystem::/srv/data": "srv-data.mount",
		"Filesystem::a":         "a",
	} {
		if got := d.Describe(spec(t, word)); got != want {
			t.Errorf("Describe(%s): got %q, want %q", word, got, want)
		}
	}
}
