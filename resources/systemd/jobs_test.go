package systemd

import (
	"context"
	"errors"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/systole-ha/systole/resources/process"
)

// ended is a unit whose program ends so.
func ended(code, status int32) *fakeUnit {
	return &fakeUnit{service: properties{"ExecMainCode": code, "ExecMainStatus": status}}
}

// plainly are requests without what differs from run to run, and without the
// properties of what is made.
func plainly(calls []string) (plain []string) {
	for _, call := range calls {
		if words := strings.Fields(call); words[0] == "make" {
			call = words[0] + " " + words[1]
		}
		plain = append(plain, unique.ReplaceAllString(call, "-N.service"))
	}
	return plain
}

var unique = regexp.MustCompile(`-[0-9a-f]{8}\.service`)

const begun = "make systole-a::b-start-N.service, start systole-a::b-start-N.service replace"

// gone is what becomes of a unit that is not to stay.
func gone(op string) string {
	return strings.ReplaceAll(", stop systole-a::b-OP-N.service replace, reset systole-a::b-OP-N.service", "OP", op)
}

func TestJobs(t *testing.T) {
	start := process.Job{Resource: "a::b", Operation: "start", Path: "/bin/true", Args: []string{"start"}, Changes: true, Keep: true}
	look := process.Job{Resource: "a::b", Operation: "status", Path: "/bin/true", Fine: func(int) bool { return true }}
	for _, tt := range []struct {
		name  string
		job   process.Job
		unit  *fakeUnit
		calls string
		want  process.Result
		err   string
	}{
		{"the unit of a start stays", start, ended(exited, 0), begun, process.Result{}, ""},
		{"but not of one that failed", start, ended(exited, 7), begun + gone("start"), process.Result{Code: 7}, ""},
		{"nor of one that was killed", start, ended(killed, 9), begun + gone("start"), process.Result{}, "killed by SIGKILL"},
		{"nor of a look", look, ended(exited, 3), "make systole-a::b-status-N.service, start systole-a::b-status-N.service replace" + gone("status"), process.Result{Code: 3}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, f, _ := newDriver(t, map[string]*fakeUnit{})
			f.transient = tt.unit
			got, err := d.Jobs().Run(within(t, 10*time.Second), tt.job)
			if got != tt.want || text(err) != tt.err {
				t.Errorf("Run:\n got %+v, %v\nwant %+v, %v", got, err, tt.want, tt.err)
			}
			if calls := strings.Join(plainly(f.log()), ", "); calls != tt.calls {
				t.Errorf("systemd was asked for\n got %s\nwant %s", calls, tt.calls)
			}
		})
	}
}

// TestAJobIsDescribed to systemd in the words of its D-Bus interface.
func TestAJobIsDescribed(t *testing.T) {
	d, f, _ := newDriver(t, map[string]*fakeUnit{})
	f.transient = ended(exited, 0)
	j := process.Job{
		Resource: "a::/x", Operation: "status", Path: "/etc/ha.d/resource.d/a", Args: []string{"$HOME", "%n", "a b"},
		Env: []string{"A=1", "A=2"}, Capture: true,
	}
	if _, err := d.Jobs().Run(within(t, 10*time.Second), j); err != nil {
		t.Fatal(err)
	}
	made := unique.ReplaceAllString(f.log()[0], "-N.service")
	for _, want := range []string{
		"make systole-a::-x-status-N.service ", "[[/etc/ha.d/resource.d/a [/etc/ha.d/resource.d/a $$HOME %n a b] true]]",
		" Environment=[" + process.Path + " A=2] ", " DefaultDependencies=false ", " KillMode=process ", " RemainAfterExit=true ",
		" SyslogIdentifier=a ", " Type=oneshot", " StandardOutputFileDescriptor=", "Description=systole: status of a::/x",
	} {
		if !strings.Contains(made, want) {
			t.Errorf("no %q in %s", want, made)
		}
	}
	var timeout time.Duration
	for u := range f.units {
		timeout = time.Duration(f.units[u].mount["TimeoutStartUSec"].(uint64)) * time.Microsecond
	}
	if timeout < 15*time.Second || timeout > 20*time.Second {
		t.Errorf("systemd waits for %v, want a little less than 10 s and 10 s", timeout)
	}
}

// TestAJobThatHangsIsKilled politely, and then for good.
func TestAJobThatHangsIsKilled(t *testing.T) {
	for _, tt := range []struct {
		name  string
		heeds int32
	}{{"it heeds the first signal", 15}, {"it heeds none", 0}} {
		t.Run(tt.name, func(t *testing.T) {
			d, f, _ := newDriver(t, map[string]*fakeUnit{})
			f.transient = &fakeUnit{hold: make(chan struct{}), heeds: tt.heeds}
			ctx, cancel := context.WithCancel(within(t, 10*time.Second))
			go func() { f.awaitAny("start "); cancel() }()
			_, err := d.Jobs().Run(ctx, process.Job{Resource: "a::b", Operation: "stop", Path: "/bin/true"})
			if !errors.Is(err, context.Canceled) || !strings.Contains(text(err), "killed, it did not end in time") {
				t.Errorf("Run said %v", err)
			}
			want := "kill systole-a::b-stop-N.service all 15, kill systole-a::b-stop-N.service all 9" + gone("stop")
			if got := strings.Join(plainly(f.log())[2:], ", "); got != want {
				t.Errorf("systemd was asked for\n got %s\nwant %s", got, want)
			}
		})
	}
}

// awaitAny returns when something like that has been asked for.
func (f *fake) awaitAny(prefix string) {
	for call := range f.asked {
		if strings.HasPrefix(call, prefix) {
			return
		}
	}
}

// TestAJobIsRunOnce whatever becomes of the connection.
func TestAJobIsRunOnce(t *testing.T) {
	d, f, bus := newDriver(t, map[string]*fakeUnit{})
	hold := make(chan struct{})
	f.transient = ended(exited, 5)
	f.transient.hold = hold
	type outcome struct {
		result process.Result
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		r, err := d.Jobs().Run(within(t, 20*time.Second), process.Job{Resource: "a", Operation: "stop", Path: "/bin/true"})
		done <- outcome{r, err}
	}()
	f.awaitAny("start ")
	bus.kill(t)
	close(hold) // it ends while nobody listens
	bus.start(t)
	f.join(t, bus)
	if got := <-done; got.err != nil || got.result.Code != 5 {
		t.Errorf("Run: %+v", got)
	}
	made := 0
	for _, call := range f.log() {
		if strings.HasPrefix(call, "make ") {
			made++
		}
	}
	if made != 1 {
		t.Errorf("the program was run %d times", made)
	}
}

// TestJobsWithoutSystemd are for somebody else to run, and soon.
func TestJobsWithoutSystemd(t *testing.T) {
	nowhere := Bus("unix:path=" + filepath.Join(t.TempDir(), "none"))
	jobs := New(WithDialers(nowhere)).Jobs()
	began := time.Now()
	for _, changes := range []bool{false, true} {
		if _, err := jobs.Run(within(t, 10*time.Second), process.Job{Path: "/bin/true", Changes: changes}); !errors.Is(err, process.ErrUnavailable) {
			t.Errorf("Run said %v", err)
		}
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("that took %v, for which a takeover waits", took)
	}
}

// TestWhatAnEarlierDaemonLeft is ended before anything else is done to the
// resource, but for what has been started.
func TestWhatAnEarlierDaemonLeft(t *testing.T) {
	d, f, _ := newDriver(t, map[string]*fakeUnit{
		"systole-a::b-start-00000001.service":    {active: "active", sub: "exited"},
		"systole-a::b-stop-00000002.service":     {active: "activating", sub: "start", heeds: 15},
		"systole-a::b-c-start-00000003.service":  {active: "active", sub: "exited"}, // of a::b/c
		"systole-a::bc-start-00000004.service":   {active: "activating", sub: "start"},
		"systole-a::b-status-00000005.service":   {active: "active", sub: "exited"},
		"systole-other-start-00000006.service":   {active: "activating", sub: "start"},
		"systole-a::b-start-extra-0000007.mount": {active: "active"},
	})
	f.transient = ended(exited, 0)
	jobs := d.Jobs()
	started := func(resource string, want bool) {
		t.Helper()
		if got, err := jobs.Started(within(t, 10*time.Second), resource); got != want || err != nil {
			t.Errorf("%s is started: %v, %v, want %v", resource, got, err, want)
		}
	}
	started("a::b", true)
	started("a::b/c", true)
	started("a::bc", false)
	for range 2 {
		if _, err := jobs.Run(within(t, 10*time.Second), process.Job{Resource: "a::b", Operation: "stop", Path: "/bin/true", Changes: true}); err != nil {
			t.Fatal(err)
		}
	}
	var killed []string
	for _, call := range f.log() {
		if words := strings.Fields(call); words[0] == "kill" && !slices.Contains(killed, words[1]) {
			killed = append(killed, words[1])
		}
	}
	slices.Sort(killed)
	if want := []string{"systole-a::b-status-00000005.service", "systole-a::b-stop-00000002.service"}; !slices.Equal(killed, want) {
		t.Errorf("killed\n got %q\nwant %q", killed, want)
	}
	if err := jobs.Forget(within(t, 10*time.Second), "a::b"); err != nil {
		t.Fatal(err)
	}
	want := []string{"stop systole-a::b-start-00000001.service replace", "reset systole-a::b-start-00000001.service"}
	if got := f.log(); !slices.Equal(got, want) {
		t.Errorf("to forget, systemd was asked for %q, want %q", got, want)
	}
}

func TestJobNames(t *testing.T) {
	for resource, want := range map[string]string{
		"mydb::6380":                 "systole-mydb::6380-",
		"Filesystem::/dev/sda1::/a":  "systole-Filesystem::-dev-sda1::-a-",
		"my-db":                      `systole-my\x2ddb-`,
		"ocf:heartbeat:Dummy::a=b@c": `systole-ocf:heartbeat:Dummy::a\x3db\x40c-`,
	} {
		if got := jobPrefix(resource); got != want {
			t.Errorf("%s: %s, want %s", resource, got, want)
		}
	}
	long := process.Job{Resource: strings.Repeat("ä/", 200), Operation: "validate-all"}
	name := jobName(long)
	if len(name) > 255 || name == jobName(long) {
		t.Errorf("%q has %d bytes, or is not new", name, len(name))
	}
	long.Resource += "x"
	if strings.HasPrefix(jobName(long), jobPrefix(strings.Repeat("ä/", 200))) {
		t.Error("two long resources have one name")
	}
}
