package systemd

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/systole-ha/systole/resources"
)

func TestStart(t *testing.T) {
	running := func() *fakeUnit { return &fakeUnit{active: "active", sub: "running"} }
	dying := func(service properties) *fakeUnit {
		return &fakeUnit{service: service, onStart: func(u *fakeUnit) string {
			u.fail("exit-code", 1, 203)
			return "done"
		}}
	}
	done := []string{"reset nginx.service", "start nginx.service replace"}
	tests := []struct {
		name  string
		unit  *fakeUnit
		calls []string
		err   string // after "start nginx: "
	}{
		{name: "an inactive unit is started", unit: &fakeUnit{}, calls: done},
		{name: "an active one is left alone", unit: running()},
		{name: "one that reloads is left alone", unit: &fakeUnit{active: "reloading", sub: "reload"}},
		{name: "the failures of a failed one are forgotten first", unit: &fakeUnit{active: "failed", sub: "failed", starts: 99}, calls: done},
		{name: "one that waits to be restarted is started", unit: &fakeUnit{active: "activating", sub: "auto-restart"}, calls: done},
		{name: "one that is being stopped is started again", unit: &fakeUnit{active: "deactivating", sub: "stop-sigterm"}, calls: done},
		{
			name: "a oneshot that remains is active",
			unit: &fakeUnit{service: properties{"Type": "oneshot", "RemainAfterExit": true}, onStart: func(u *fakeUnit) string {
				u.active, u.sub = "active", "exited"
				return "done"
			}},
			calls: done,
		},
		{
			name: "a oneshot that does not remain cannot be held",
			unit: &fakeUnit{service: properties{"Type": "oneshot"}, onStart: func(u *fakeUnit) string {
				u.active, u.sub = "inactive", "dead"
				return "done"
			}},
			calls: done,
			err: "nginx.service is inactive (dead), Type=oneshot without RemainAfterExit=yes is over once it has run, and cannot be held, " +
				`see "journalctl -u nginx.service"`,
		},
		{
			name:  "a unit that is not there",
			unit:  &fakeUnit{missing: true},
			calls: nil,
			err:   "no such unit nginx.service: is its package installed?",
		},
		{
			name: "a masked unit",
			unit: &fakeUnit{masked: true},
			err:  `nginx.service is masked: run "systemctl unmask nginx.service"`,
		},
		{
			name: "a unit that cannot be loaded",
			unit: &fakeUnit{more: properties{"LoadState": "bad-setting", "LoadError": pair[string, string]{"", "Unit has a bad unit file setting."}}},
			err:  "nginx.service cannot be loaded (bad-setting): Unit has a bad unit file setting.",
		},
		{
			name: "a unit that only others may start",
			unit: &fakeUnit{more: properties{"RefuseManualStart": true}},
			err:  "nginx.service refuses to be started by hand (RefuseManualStart=yes)",
		},
		{
			name:  "a job that fails, with what the unit says",
			unit:  &fakeUnit{onStart: func(u *fakeUnit) string { return u.fail("exit-code", 1, 7) }},
			calls: done,
			err:   `nginx.service is failed (failed), exit-code, its main process exited with status 7, see "journalctl -u nginx.service"`,
		},
		{
			name:  "a main process that is killed",
			unit:  &fakeUnit{onStart: func(u *fakeUnit) string { return u.fail("signal", 2, 9) }},
			calls: done,
			err:   `nginx.service is failed (failed), signal, its main process was killed by SIGKILL, see "journalctl -u nginx.service"`,
		},
		{
			name:  "a unit that is dead right after its job",
			unit:  dying(nil),
			calls: done,
			err: "nginx.service is failed (failed), exit-code, its main process exited with status 203 (its program cannot be executed), " +
				`see "journalctl -u nginx.service"`,
		},
		{
			name: "a unit that another one takes down",
			unit: &fakeUnit{onStart: func(u *fakeUnit) string {
				u.active, u.sub = "inactive", "dead"
				return "dependency"
			}},
			calls: done,
			err:   `nginx.service is inactive (dead), a unit that it needs has failed, see "journalctl -u nginx.service"`,
		},
		{
			name: "a unit whose condition does not hold",
			unit: &fakeUnit{onStart: func(u *fakeUnit) string {
				u.active, u.sub = "inactive", "dead"
				u.more = properties{"ConditionTimestamp": uint64(1), "ConditionResult": false}
				return "done"
			}},
			calls: done,
			err:   `nginx.service is inactive (dead), a Condition= of it does not hold, see "journalctl -u nginx.service"`,
		},
		{
			name:  "a unit whose file has changed fails",
			unit:  &fakeUnit{more: properties{"NeedDaemonReload": true}, onStart: func(u *fakeUnit) string { return u.fail("exit-code", 0, 0) }},
			calls: done,
			err: `nginx.service is failed (failed), exit-code, its file has changed, run "systemctl daemon-reload", ` +
				`see "journalctl -u nginx.service"`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, f, _ := newDriver(t, map[string]*fakeUnit{"nginx.service": tt.unit})
			err := d.Start(within(t, 10*time.Second), nginx)
			want := tt.err
			if want != "" {
				want = "start nginx: " + want
			}
			if text(err) != want {
				t.Errorf("Start\n got %v\nwant %v", text(err), want)
			}
			if err != nil && !errors.As(err, new(*resources.Error)) {
				t.Errorf("the error is a %T, want a *resources.Error", err)
			}
			if got := f.log(); !slices.Equal(got, tt.calls) {
				t.Errorf("systemd was asked for\n got %q\nwant %q", got, tt.calls)
			}
		})
	}
}

// A service of Type=simple is active before its program runs.
func TestStartGivesASimpleServiceTimeToDie(t *testing.T) {
	d, _, _ := newDriver(t, map[string]*fakeUnit{"nginx.service": {
		service: properties{"Type": "simple"},
		onLook:  func(u *fakeUnit) { u.fail("exit-code", 1, 203) },
	}})
	err := d.Start(within(t, 10*time.Second), nginx)
	if err == nil || !strings.Contains(err.Error(), "status 203") {
		t.Errorf("Start: %v, want that its program cannot be executed", err)
	}
}
