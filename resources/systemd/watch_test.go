package systemd

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/systole-ha/systole/resources"
)

// told collects what a Watcher is told, one line each.
type told chan string

func (t told) UnitStateChanged(c StateChange) {
	t <- fmt.Sprintf("%s: %s -> %s (%s)", c.Unit, c.From, c.To, c.Sub)
}

func (t told) UnitRestarted(r Restart) {
	t <- fmt.Sprintf("%s: restart %d, %d new, %s", r.Unit, r.Restarts, r.Count, r.Status)
}

// watch starts a watch that ends with the test.
func watch(t *testing.T, d *Driver, specs ...resources.Spec) told {
	t.Helper()
	lines := make(told, 100)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); d.Watch(ctx, specs, lines) }()
	t.Cleanup(func() { cancel(); <-ended })
	return lines
}

// next wants these lines and no other before them.
func (t told) next(test *testing.T, want ...string) {
	test.Helper()
	for _, w := range want {
		select {
		case got := <-t:
			if got != w {
				test.Fatalf("told\n got %q\nwant %q", got, w)
			}
		case <-time.After(10 * time.Second):
			test.Fatalf("not told within 10 s: %q", w)
		}
	}
}

// runs is what a unit is made to by systemd, in the words of its properties.
func runs(active, sub string) func(*fakeUnit) {
	return func(u *fakeUnit) { u.active, u.sub = active, sub }
}

// says changes what systemd says about the unit's service.
func says(active, sub string, p properties) func(*fakeUnit) {
	return func(u *fakeUnit) {
		u.active, u.sub = active, sub
		u.service = merged(maps.Clone(u.service), nil)
		if u.service == nil {
			u.service = properties{}
		}
		maps.Copy(u.service, p)
	}
}

func TestWatch(t *testing.T) {
	type step = func(*fakeUnit)
	const first = "nginx.service:  -> inactive (dead)"
	ended := func(code, status int32) properties {
		return properties{"ExecMainCode": code, "ExecMainStatus": status}
	}
	counted := func(n uint32) properties { return properties{"NRestarts": n} }
	tests := []struct {
		name  string
		begin step // before the watch
		steps []step
		want  []string
	}{
		{name: "the first look tells the state", want: []string{first}},
		{
			name:  "a start and a stop are told by their states, not by their steps",
			steps: []step{runs("activating", "start-pre"), runs("activating", "start"), runs("active", "running"), runs("deactivating", "stop-sigterm"), runs("inactive", "dead")},
			want: []string{first,
				"nginx.service: inactive -> activating (start-pre)", "nginx.service: activating -> active (running)",
				"nginx.service: active -> deactivating (stop-sigterm)", "nginx.service: deactivating -> inactive (dead)"},
		},
		{
			name:  "an active unit whose process has ended is news",
			begin: runs("active", "running"),
			steps: []step{runs("active", "exited")},
			want:  []string{"nginx.service:  -> active (running)", "nginx.service: active -> active (exited)"},
		},
		{
			name:  "a process that was killed, and the restart",
			begin: runs("active", "running"),
			steps: []step{
				says("activating", "auto-restart", ended(killed, 11)),
				says("activating", "start", counted(1)),
				says("active", "running", ended(0, 0)),
			},
			want: []string{"nginx.service:  -> active (running)", "nginx.service: active -> activating (auto-restart)",
				"nginx.service: restart 1, 1 new, killed SEGV", "nginx.service: activating -> active (running)"},
		},
		{
			name:  "a restart that systemd tells together with all that led to it",
			begin: says("active", "running", ended(exited, 3)),
			steps: []step{says("active", "running", merged(ended(0, 0), counted(1)))},
			want:  []string{"nginx.service:  -> active (running)", "nginx.service: restart 1, 1 new, "},
		},
		{
			name:  "restarts before the watch are not told, those after it are",
			begin: says("active", "running", counted(7)),
			steps: []step{says("activating", "start", merged(ended(exited, 1), counted(8)))},
			want:  []string{"nginx.service:  -> active (running)", "nginx.service: restart 8, 1 new, exited 1", "nginx.service: active -> activating (start)"},
		},
		{
			name:  "systemd counts anew after a start by hand",
			begin: says("active", "running", counted(7)),
			steps: []step{says("active", "running", counted(0)), says("active", "running", counted(1))},
			want:  []string{"nginx.service:  -> active (running)", "nginx.service: restart 1, 1 new, "},
		},
		{
			name:  "words of later versions",
			begin: runs("refreshing", "refresh"),
			steps: []step{runs("maintenance", "cleaning"), runs("failed", "failed")},
			want:  []string{"nginx.service:  -> reloading (refresh)", "nginx.service: reloading -> inactive (cleaning)", "nginx.service: inactive -> failed (failed)"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, f, _ := newDriver(t, map[string]*fakeUnit{"nginx.service": {}, "redis.service": {}, "last.service": {}})
			if tt.begin != nil {
				f.change("nginx.service", tt.begin)
			}
			lines := watch(t, d, nginx, resources.Spec{Name: "last"})
			looks := []string{<-lines, <-lines} // in any order
			slices.Sort(looks)
			if want := []string{"last.service:  -> inactive (dead)", tt.want[0]}; !slices.Equal(looks, want) {
				t.Fatalf("told\n got %q\nwant %q", looks, want)
			}
			for _, step := range tt.steps {
				f.turn("redis.service", step) // which nobody watches
				f.turn("nginx.service", step)
			}
			lines.next(t, tt.want[1:]...)
			f.turn("last.service", runs("active", "running"))
			lines.next(t, "last.service: inactive -> active (running)") // and nothing before it
		})
	}
}

func TestWatchOfWhatIsNoUnit(t *testing.T) {
	d, f, _ := newDriver(t, map[string]*fakeUnit{"data.mount": {active: "active", sub: "mounted"}})
	lines := watch(t, d, resources.Spec{Name: "a unit with", Args: []string{"arguments"}}, resources.Spec{Name: "missing"}, resources.Spec{Name: "data.mount"})
	got := []string{<-lines, <-lines}
	slices.Sort(got)
	want := []string{"data.mount:  -> active (mounted)", "missing.service:  -> inactive (dead)"}
	if !slices.Equal(got, want) {
		t.Errorf("told\n got %q\nwant %q", got, want)
	}
	f.turn("data.mount", runs("inactive", "dead"))
	lines.next(t, "data.mount: active -> inactive (dead)")
}

// What happens while systemd cannot be heard is told when it can be again.
func TestWatchAfterItWasCutOff(t *testing.T) {
	tests := []struct {
		name string
		cut  func(t *testing.T, f *fake, bus *testBus, meanwhile func())
	}{
		{"the bus restarts", func(t *testing.T, f *fake, bus *testBus, meanwhile func()) {
			bus.kill(t)
			meanwhile()
			bus.start(t)
			f.join(t, bus)
		}},
		{"systemd leaves the bus and comes back", func(t *testing.T, f *fake, bus *testBus, meanwhile func()) {
			f.leave()
			meanwhile()
			f.join(t, bus)
		}},
		{"systemd reloads and says nothing of it", func(t *testing.T, f *fake, bus *testBus, meanwhile func()) {
			meanwhile()
			f.reload()
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, f, bus := newDriver(t, map[string]*fakeUnit{"nginx.service": {active: "active", sub: "running"}})
			lines := watch(t, d, nginx)
			lines.next(t, "nginx.service:  -> active (running)")
			tt.cut(t, f, bus, func() {
				f.change("nginx.service", says("failed", "failed", properties{"NRestarts": uint32(4), "ExecMainCode": int32(dumped), "ExecMainStatus": int32(6)}))
			})
			lines.next(t, "nginx.service: restart 4, 4 new, killed ABRT", "nginx.service: active -> failed (failed)")
			f.await(t, "subscribe")
			f.turn("nginx.service", runs("inactive", "dead"))
			lines.next(t, "nginx.service: failed -> inactive (dead)")
		})
	}
}

// A bus that takes connections and says nothing must not keep the watch from
// the other way to systemd.
func TestWatchGoesOnToTheNextWay(t *testing.T) {
	d, _, bus := newDriver(t, map[string]*fakeUnit{"nginx.service": {}})
	silent := func(ctx context.Context) (*dbus.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	d.dialers = []Dialer{silent, Bus(bus.address)}
	watch(t, d, nginx).next(t, "nginx.service:  -> inactive (dead)")
}

// A look that was answered is newer than the signals that came before it.
func TestSignalsBeforeTheLookAreOld(t *testing.T) {
	lines := make(told, 10)
	s := newTelling([]resources.Spec{nginx}, lines)
	path := unitPath("nginx.service")
	signal := func(at dbus.Sequence, restarts uint32) *dbus.Signal {
		return &dbus.Signal{Name: propertiesChanged, Path: path, Sequence: at, Body: []any{
			"org.freedesktop.systemd1.Service", map[string]dbus.Variant{"NRestarts": dbus.MakeVariant(restarts)}, []string{}}}
	}
	u := s.units[path]
	u.restarts, u.counted, u.looked = 3, true, 10
	for _, old := range []*dbus.Signal{signal(8, 2), signal(9, 3), signal(11, 4)} {
		if err := s.hear(t.Context(), nil, old); err != nil {
			t.Fatal(err)
		}
	}
	lines.next(t, "nginx.service: restart 4, 1 new, ")
	if len(lines) > 0 {
		t.Errorf("also told: %q", <-lines)
	}
}
