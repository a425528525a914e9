package systemd

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/systole-ha/systole/resources"
)

// newDriver returns a Driver and the systemd that it drives, on a bus.
func newDriver(t *testing.T, units map[string]*fakeUnit) (*Driver, *fake, *testBus) {
	t.Helper()
	bus := startBus(t)
	f := newFake(units)
	f.join(t, bus)
	d := New(WithDialers(Bus(bus.address)))
	t.Cleanup(func() { d.Close() })
	return d, f, bus
}

var nginx = resources.Spec{Name: "nginx"}

func TestStop(t *testing.T) {
	asked := []string{"stop nginx.service replace"}
	tests := []struct {
		name  string
		unit  *fakeUnit
		calls []string
		err   string
	}{
		{name: "an active unit is stopped", unit: &fakeUnit{active: "active", sub: "running"}, calls: asked},
		{name: "an inactive one is left alone", unit: &fakeUnit{}},
		{name: "a failed one is left alone", unit: &fakeUnit{active: "failed", sub: "failed"}},
		{name: "one that is not there is left alone", unit: &fakeUnit{missing: true}},
		{name: "a masked one may run and is stopped", unit: &fakeUnit{masked: true, active: "active", sub: "running"}, calls: asked},
		{name: "one that waits to be restarted is stopped", unit: &fakeUnit{active: "activating", sub: "auto-restart"}, calls: asked},
		{
			name: "one that has to be killed is stopped too",
			unit: &fakeUnit{active: "active", sub: "running", onStop: func(u *fakeUnit) string {
				u.fail("timeout", 2, 9)
				return "done"
			}},
			calls: asked,
		},
		{
			name:  "one that goes on is an error",
			unit:  &fakeUnit{active: "active", sub: "running", onStop: func(u *fakeUnit) string { return "canceled" }},
			calls: asked,
			err:   `stop nginx: nginx.service is active (running), another job has replaced this one, see "journalctl -u nginx.service"`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, f, _ := newDriver(t, map[string]*fakeUnit{"nginx.service": tt.unit})
			if err := d.Stop(within(t, 10*time.Second), nginx); text(err) != tt.err {
				t.Errorf("Stop\n got %v\nwant %v", text(err), tt.err)
			}
			if got := f.log(); !slices.Equal(got, tt.calls) {
				t.Errorf("systemd was asked for\n got %q\nwant %q", got, tt.calls)
			}
		})
	}
}

func TestStatus(t *testing.T) {
	tests := []struct {
		name string
		unit *fakeUnit
		want resources.Status
	}{
		{name: "active", unit: &fakeUnit{active: "active", sub: "running"}, want: resources.Running},
		{name: "active and done", unit: &fakeUnit{active: "active", sub: "exited"}, want: resources.Running},
		{name: "reloading", unit: &fakeUnit{active: "reloading", sub: "reload"}, want: resources.Running},
		{name: "refreshing", unit: &fakeUnit{active: "refreshing", sub: "refresh"}, want: resources.Running},
		{name: "inactive", unit: &fakeUnit{}, want: resources.Stopped},
		{name: "not there", unit: &fakeUnit{missing: true}, want: resources.Stopped},
		{name: "failed", unit: &fakeUnit{active: "failed", sub: "failed"}, want: resources.Failed},
		{name: "activating", unit: &fakeUnit{active: "activating", sub: "start"}, want: resources.Failed},
		{name: "waiting to be restarted", unit: &fakeUnit{active: "activating", sub: "auto-restart"}, want: resources.Failed},
		{name: "deactivating", unit: &fakeUnit{active: "deactivating", sub: "stop-sigterm"}, want: resources.Failed},
		{name: "in maintenance", unit: &fakeUnit{active: "maintenance", sub: "cleaning"}, want: resources.Failed},
	}
	units := map[string]*fakeUnit{}
	for _, tt := range tests {
		units[strings.ReplaceAll(tt.name, " ", "-")+".service"] = tt.unit
	}
	d, _, _ := newDriver(t, units)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := d.Status(within(t, 10*time.Second), resources.Spec{Name: strings.ReplaceAll(tt.name, " ", "-")})
			if err != nil || got != tt.want {
				t.Errorf("Status = %v, %v, want %v", got, err, tt.want)
			}
		})
	}
}

func TestManyTakeoversInARow(t *testing.T) {
	d, _, _ := newDriver(t, map[string]*fakeUnit{"nginx.service": {}})
	for range 12 { // more than DefaultStartLimitBurst=
		if err := d.Start(within(t, 10*time.Second), nginx); err != nil {
			t.Fatal(err)
		}
		if err := d.Stop(within(t, 10*time.Second), nginx); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAUnitIsReadOnceFromItsFile(t *testing.T) {
	d, f, _ := newDriver(t, map[string]*fakeUnit{"nginx.service": {}})
	d.Check(within(t, 10*time.Second), nginx)
	if _, err := d.Status(within(t, 10*time.Second), nginx); err != nil {
		t.Fatal(err)
	}
	if err := d.Start(within(t, 10*time.Second), nginx); err != nil {
		t.Fatal(err)
	}
	f.change("nginx.service", func(u *fakeUnit) {
		if u.loads != 1 {
			t.Errorf("the file was read %d times, want 1", u.loads)
		}
	})
}

func TestStartWaitsForAJobThatIsThere(t *testing.T) {
	hold := make(chan struct{})
	d, f, _ := newDriver(t, map[string]*fakeUnit{"nginx.service": {hold: hold}})
	if _, err := (manager{f}).StartUnit("nginx.service", "replace"); err != nil {
		t.Fatal(err)
	}
	f.await(t, "start nginx.service replace")
	started := make(chan error, 1)
	go func() { started <- d.Start(within(t, 10*time.Second), nginx) }()
	f.await(t, "start nginx.service replace")
	close(hold)
	if err := <-started; err != nil {
		t.Error(err)
	}
	if f.jobs != 1 {
		t.Errorf("there were %d jobs, want 1", f.jobs)
	}
}

// A job that is queued tells more than the state that the unit is still in.
func TestAQueuedJobIsReplaced(t *testing.T) {
	tests := []struct {
		name   string
		active string
		queued func(manager, string, string) (dbus.ObjectPath, *dbus.Error)
		op     func(*Driver, context.Context, resources.Spec) error
	}{
		{name: "a stop of an active unit, by Start", active: "active", queued: manager.StopUnit, op: (*Driver).Start},
		{name: "a start of an inactive unit, by Stop", active: "inactive", queued: manager.StartUnit, op: (*Driver).Stop},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			hold := make(chan struct{})
			defer close(hold)
			d, f, _ := newDriver(t, map[string]*fakeUnit{"nginx.service": {active: tt.active, hold: hold, waiting: true}})
			if _, err := tt.queued(manager{f}, "nginx.service", "replace"); err != nil {
				t.Fatal(err)
			}
			f.change("nginx.service", func(u *fakeUnit) { u.hold = nil })
			if err := tt.op(d, within(t, 10*time.Second), nginx); err != nil {
				t.Fatal(err)
			}
			f.change("nginx.service", func(u *fakeUnit) {
				if u.active != tt.active || u.job != 0 {
					t.Errorf("the unit is %s with job %d, want %s without one", u.active, u.job, tt.active)
				}
			})
		})
	}
}

// The unit of a start that took too long is stopped, job and all.
func TestStopAfterAStartThatTookTooLong(t *testing.T) {
	hold := make(chan struct{})
	defer close(hold)
	d, f, _ := newDriver(t, map[string]*fakeUnit{"nginx.service": {hold: hold}})
	ctx, cancel := context.WithCancel(within(t, 10*time.Second))
	started := make(chan error, 1)
	go func() { started <- d.Start(ctx, nginx) }()
	f.await(t, "start nginx.service replace")
	cancel()
	if err := <-started; !errors.Is(err, context.Canceled) {
		t.Errorf("Start: %v, want %v", err, context.Canceled)
	}
	f.change("nginx.service", func(u *fakeUnit) { u.hold = nil })
	if err := d.Stop(within(t, 10*time.Second), nginx); err != nil {
		t.Fatal(err)
	}
	f.change("nginx.service", func(u *fakeUnit) {
		if u.active != "inactive" || u.job != 0 {
			t.Errorf("the unit is %s with job %d, want inactive without one", u.active, u.job)
		}
	})
}

// A signal may be lost, in a daemon-reexec for one. The job's end is seen anyway.
func TestStartNoticesAJobWithoutASignal(t *testing.T) {
	hold := make(chan struct{})
	defer close(hold)
	d, f, _ := newDriver(t, map[string]*fakeUnit{"nginx.service": {hold: hold}})
	started := make(chan error, 1)
	go func() { started <- d.Start(within(t, 10*time.Second), nginx) }()
	f.await(t, "start nginx.service replace")
	f.change("nginx.service", func(u *fakeUnit) { u.active, u.sub, u.job = "active", "running", 0 })
	if err := <-started; err != nil {
		t.Error(err)
	}
}

func TestTenUnitsAtOnce(t *testing.T) {
	hold := make(chan struct{})
	units := map[string]*fakeUnit{}
	names := strings.Fields("a b c d e f g h i j")
	for _, name := range names {
		units[name+".service"] = &fakeUnit{hold: hold}
	}
	d, f, _ := newDriver(t, units)
	errs := make(chan error, len(names))
	for _, name := range names {
		go func() { errs <- d.Start(within(t, 10*time.Second), resources.Spec{Name: name}) }()
	}
	for starts := 0; starts < len(names); { // all jobs wait at the same time
		if strings.HasPrefix(<-f.asked, "start ") {
			starts++
		}
	}
	close(hold)
	for range names {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}
