package systemd

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/systole-ha/systole/resources"
)

func TestDriverConnectsWhenItIsNeeded(t *testing.T) {
	bus := startBus(t)
	dials := 0
	d := New(WithDialers(func(ctx context.Context) (*dbus.Conn, error) {
		dials++
		return Bus(bus.address)(ctx)
	}))
	if dials != 0 {
		t.Errorf("New dialled %d times", dials)
	}
	newFake(map[string]*fakeUnit{"nginx.service": {}}).join(t, bus)
	for range 3 {
		if _, err := d.Status(within(t, 10*time.Second), nginx); err != nil {
			t.Fatal(err)
		}
	}
	if dials != 2 {
		t.Errorf("three calls dialled %d times, want 2: the halves of one connection", dials)
	}
	d.Close()
	if _, err := d.Status(within(t, 10*time.Second), nginx); err != nil {
		t.Errorf("after Close: %v", err)
	}
	d.Close()
}

func TestDriverReconnectsAfterARestartOfTheBus(t *testing.T) {
	d, f, bus := newDriver(t, map[string]*fakeUnit{"nginx.service": {}})
	if err := d.Start(within(t, 10*time.Second), nginx); err != nil {
		t.Fatal(err)
	}
	bus.kill(t)
	bus.start(t)
	f.join(t, bus)
	if got, err := d.Status(within(t, 10*time.Second), nginx); err != nil || got != resources.Running {
		t.Errorf("Status = %v, %v, want running", got, err)
	}
}

// What becomes of a start whose connection breaks while its job runs. Each
// break ends with systemd on a bus again.
func TestStartSurvivesALostConnection(t *testing.T) {
	restart := func(t *testing.T, f *fake, bus *testBus, meanwhile func()) {
		bus.kill(t)
		meanwhile()
		bus.start(t)
		f.join(t, bus)
	}
	becomes := func(f *fake, end func(*fakeUnit)) func() {
		return func() { f.change("nginx.service", func(u *fakeUnit) { u.job = 0; end(u) }) }
	}
	one := []string{"reset nginx.service", "start nginx.service replace"}
	tests := []struct {
		name  string
		lost  func(t *testing.T, f *fake, bus *testBus, release func())
		calls []string
		err   string
	}{
		{
			name: "the bus restarts, and the job ends meanwhile",
			lost: func(t *testing.T, f *fake, bus *testBus, release func()) {
				restart(t, f, bus, becomes(f, func(u *fakeUnit) { u.active, u.sub = "active", "running" }))
			},
			calls: one,
		},
		{
			name: "the bus restarts, and the job fails meanwhile",
			lost: func(t *testing.T, f *fake, bus *testBus, release func()) {
				restart(t, f, bus, becomes(f, func(u *fakeUnit) { u.fail("exit-code", 1, 7) }))
			},
			calls: one,
			err:   `start nginx: nginx.service is failed (failed), exit-code, its main process exited with status 7, see "journalctl -u nginx.service"`,
		},
		{
			name: "the bus restarts, and the job goes on",
			lost: func(t *testing.T, f *fake, bus *testBus, release func()) {
				restart(t, f, bus, func() {})
				f.await(t, "start nginx.service replace") // asked again, and merged
				release()
			},
			calls: slices.Concat(one, one),
		},
		{
			name: "the bus restarts, and the job was canceled meanwhile",
			lost: func(t *testing.T, f *fake, bus *testBus, release func()) {
				restart(t, f, bus, becomes(f, func(u *fakeUnit) { u.active, u.sub, u.hold = "inactive", "dead", nil }))
			},
			calls: slices.Concat(one, one),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			hold := make(chan struct{})
			release := func() { close(hold) }
			d, f, bus := newDriver(t, map[string]*fakeUnit{"nginx.service": {hold: hold}})
			started := make(chan error, 1)
			go func() { started <- d.Start(within(t, 10*time.Second), nginx) }()
			f.await(t, "start nginx.service replace")

			tt.lost(t, f, bus, release)

			if err := <-started; text(err) != tt.err {
				t.Errorf("Start\n got %v\nwant %v", text(err), tt.err)
			}
			if got := f.log(); !slices.Equal(got, tt.calls) {
				t.Errorf("systemd was asked for\n got %q\nwant %q", got, tt.calls)
			}
		})
	}
}

// systemd itself may leave the bus and come back, which the connection survives.
func TestDriverWaitsForSystemdToComeBack(t *testing.T) {
	d, f, bus := newDriver(t, map[string]*fakeUnit{"nginx.service": {}})
	if err := d.Start(within(t, 10*time.Second), nginx); err != nil {
		t.Fatal(err)
	}
	dialled := make(chan bool, 100)
	d.dialers = []Dialer{func(ctx context.Context) (*dbus.Conn, error) {
		dialled <- true
		return Bus(bus.address)(ctx)
	}}
	f.leave()
	stopped := make(chan error, 1)
	go func() { stopped <- d.Stop(within(t, 10*time.Second), nginx) }()
	for range 3 { // in vain
		<-dialled
	}
	f.join(t, bus)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

func TestTheNextWayIsTakenWhenTheFirstIsGone(t *testing.T) {
	d, f, bus := newDriver(t, map[string]*fakeUnit{"nginx.service": {}})
	private := startBus(t)
	f.join(t, private)
	d.dialers = append(d.dialers, Bus(private.address))
	if _, err := d.Status(within(t, 10*time.Second), nginx); err != nil {
		t.Fatal(err)
	}

	bus.kill(t)
	if err := d.Start(within(t, 10*time.Second), nginx); err != nil {
		t.Errorf("Start by the second way: %v", err)
	}
	bus.start(t)
	f.join(t, bus)
	private.kill(t)
	if err := d.Stop(within(t, 10*time.Second), nginx); err != nil {
		t.Errorf("Stop by the first way: %v", err)
	}
	want := []string{"reset nginx.service", "start nginx.service replace", "stop nginx.service replace"}
	if got := f.log(); !slices.Equal(got, want) {
		t.Errorf("systemd was asked for\n got %q\nwant %q", got, want)
	}
}

func TestNobodyAnswers(t *testing.T) {
	silent := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", silent)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			defer c.Close() // and say nothing until the test is over
		}
	}()
	d := New(WithDialers(Bus("unix:path=" + silent)))
	defer d.Close()

	t.Run("an operation ends with its context", func(t *testing.T) {
		begun := time.Now()
		_, err := d.Status(within(t, 100*time.Millisecond), nginx)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Status: %v, want %v", err, context.DeadlineExceeded)
		}
		if took := time.Since(begun); took > time.Second {
			t.Errorf("Status took %v, want 100ms", took)
		}
	})
	t.Run("check says so, and it is not the unit's fault", func(t *testing.T) {
		got := d.Check(within(t, 10*time.Second), nginx)
		want := []resources.Finding{{Unknown: true, Text: "nginx.service could not be examined: no connection to systemd: no answer within 1s"}}
		if !slices.Equal(got, want) {
			t.Errorf("Check\n got %v\nwant %v", got, want)
		}
	})
	t.Run("another way is tried", func(t *testing.T) {
		bus := startBus(t)
		newFake(map[string]*fakeUnit{"nginx.service": {}}).join(t, bus)
		d := New(WithDialers(Bus("unix:path="+silent), Bus(bus.address)))
		defer d.Close()
		if got, err := d.Status(within(t, 10*time.Second), nginx); err != nil || got != resources.Stopped {
			t.Errorf("Status = %v, %v, want stopped", got, err)
		}
	})
}

func TestNobodyIsThere(t *testing.T) {
	d := New(WithDialers(Bus("unix:path=/nonexistent/one"), Bus("unix:path=/nonexistent/two")))
	d.patience = 4 * firstPause
	t.Run("an operation gives up before its context does", func(t *testing.T) {
		_, err := d.Status(within(t, time.Minute), nginx)
		if err == nil || errors.Is(err, context.DeadlineExceeded) ||
			!strings.Contains(err.Error(), "one") || !strings.Contains(err.Error(), "two") {
			t.Errorf("Status: %v, want an error that names both ways", err)
		}
	})
	t.Run("check does not wait", func(t *testing.T) {
		begun := time.Now()
		if got := d.Check(within(t, time.Minute), nginx); len(got) != 1 || got[0].Fatal {
			t.Errorf("Check = %v, want one finding that is not fatal", got)
		}
		if took := time.Since(begun); took > time.Second {
			t.Errorf("Check took %v", took)
		}
	})
}

// A systemd that is busy, reading all its units again for one, answers late.
func TestAnUnansweredCallEndsWithItsContext(t *testing.T) {
	d, f, _ := newDriver(t, map[string]*fakeUnit{"nginx.service": {}})
	if _, err := d.Status(within(t, 10*time.Second), nginx); err != nil {
		t.Fatal(err)
	}
	unanswering := <-d.conn
	d.conn <- unanswering
	f.mu.Lock() // nothing is answered
	_, err := d.Status(within(t, 50*time.Millisecond), nginx)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Status: %v, want %v", err, context.DeadlineExceeded)
	}
	if unanswering.life.Err() == nil {
		t.Error("the connection is kept, with a request in it that nobody may ever read")
	}
	errs := make(chan error, 2)
	for _, s := range []resources.Spec{nginx, {Name: "apache2"}} {
		go func() { errs <- d.Start(within(t, 50*time.Millisecond), s) }()
	}
	for range 2 {
		if err := <-errs; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Start: %v, want %v", err, context.DeadlineExceeded)
		}
	}
	f.mu.Unlock()
	if err := d.Start(within(t, 10*time.Second), nginx); err != nil {
		t.Errorf("Start once it answers again: %v", err)
	}
}
