package ocf

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/process"
	"github.com/systole-ha/systole/resources/resourcetest"
)

var soon, write, spec = resourcetest.Soon, resourcetest.Write, resourcetest.Spec

// marker is an agent with a file for a state. It notes what it is asked.
const marker = `#!/bin/sh
echo $1 >>$OCF_ROOT/log
case $1 in
start) [ -z "$OCF_RESKEY_fails" ] || { echo "ocf-exit-reason:no disk" >&2; echo bye >&2; exit 1; }; touch $OCF_RESKEY_state ;;
stop) [ -e $OCF_RESKEY_state ] || exit 1; rm $OCF_RESKEY_state ;;
monitor) [ -z "$OCF_RESKEY_code" ] || exit $OCF_RESKEY_code; [ -e $OCF_RESKEY_state ] || exit 7 ;;
meta-data) cat <<END
<?xml version="1.0"?>
<!DOCTYPE resource-agent SYSTEM "ra-api-1.dtd">
<resource-agent name="marker"><parameters><parameter name="state" required="1"/><parameter name="code"/><parameter name="fails"/></parameters>
<actions><action name="start" timeout="20s"/><action name="validate-all"/></actions></resource-agent>
END
;;
validate-all) [ -z "$OCF_RESKEY_fails" ] || { echo "ocf-exit-reason:fails is set" >&2; exit 6; } ;;
env) ;;
esac
`

// installed is a driver of an agent, and where it keeps its state.
func withMarker(t *testing.T, text string) (d *Driver, root string) {
	t.Helper()
	root = t.TempDir()
	for _, folder := range []string{"resource.d/heartbeat", "resource.d/test", "conf/OCF/marker"} {
		if err := os.MkdirAll(filepath.Join(root, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(root, "resource.d/test/marker"), text, 0o755)
	return New(Config{Root: root, Folders: []string{root}, Env: []string{"HA_CURHOST=alpha"}, Runner: &process.Direct{}}), root
}

// TestAnAgentIsAsked before it starts anything, and after a stop that failed.
func TestAnAgentIsAsked(t *testing.T) {
	d, root := withMarker(t, marker)
	s := spec(t, "OCF::marker::state="+filepath.Join(root, "state"))
	for _, step := range []struct {
		name string
		do   func(context.Context, resources.Spec) error
		log  string
		want resources.Status
	}{
		{"to start", d.Start, "monitor start", resources.Running},
		{"to start what runs", d.Start, "monitor", resources.Running},
		{"to stop", d.Stop, "stop", resources.Stopped},
		{"to stop what does not run", d.Stop, "stop monitor", resources.Stopped},
	} {
		os.Remove(filepath.Join(root, "log"))
		err := step.do(soon(t), s)
		log, _ := os.ReadFile(filepath.Join(root, "log"))
		if got := strings.Join(strings.Fields(string(log)), " "); err != nil || got != step.log {
			t.Errorf("%s: asked %q, %v, want %q", step.name, got, err, step.log)
		}
		if got, err := d.Status(soon(t), s); got != step.want || err != nil {
			t.Errorf("%s: then %v, %v, want %v", step.name, got, err, step.want)
		}
	}
}

// TestExitStatuses of a monitor.
func TestExitStatuses(t *testing.T) {
	d, root := withMarker(t, marker)
	for code, want := range map[string]resources.Status{
		"0": resources.Running, "8": resources.Running, "7": resources.Stopped, "5": resources.Stopped,
		"1": resources.Failed, "2": resources.Failed, "6": resources.Failed, "9": resources.Failed, "100": resources.Failed,
	} {
		got, err := d.Status(soon(t), spec(t, "OCF::marker::state="+root+"/state::code="+code))
		if got != want || err != nil {
			t.Errorf("%s is %v, %v, want %v", code, got, err, want)
		}
	}
}

func TestWhatFails(t *testing.T) {
	d, root := withMarker(t, marker)
	for _, tt := range []struct {
		name, word string
		op         func(context.Context, resources.Spec) error
		want       string
	}{
		{"a start with the agent's reason", "OCF::marker::state=" + root + "/a::fails=1", d.Start, "exit status 1, failed: no disk"},
		{"a stop of what may run", "OCF::marker::state=" + root + "/b::code=1", d.Stop, "exit status 1, failed"},
		{"an agent that is not there", "OCF::nothing", d.Start, "no OCF agent nothing in "},
		{"of that provider", "OCF::heartbeat:marker", d.Start, "no OCF agent heartbeat/marker in "},
		{"a stop of one that was never started", "OCF::nothing", d.Stop, ""},
		{"no agent", "OCF", d.Start, "not an OCF agent"},
	} {
		err := tt.op(soon(t), spec(t, tt.word))
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
		if e := (*resources.Error)(nil); err != nil && !errors.As(err, &e) {
			t.Errorf("%s: %T is no resources.Error", tt.name, err)
		}
	}
}

// TestAnAgentIsTold its parameters and the rest of what the API promises.
func TestAnAgentIsTold(t *testing.T) {
	d, root := withMarker(t, "#!/bin/sh\nenv >$OCF_ROOT/env.$1\nexit 7\n")
	write(t, filepath.Join(root, "conf/OCF/marker/one"), "OCF_RESKEY_state='/run/a b'\nOCF_RESKEY_x=file\n", 0o644)
	d.Status(soon(t), spec(t, "OCF::marker::one::x=word"))
	env, err := os.ReadFile(filepath.Join(root, "env.monitor"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"OCF_RESKEY_state=/run/a b", "OCF_RESKEY_x=word", "OCF_RESOURCE_INSTANCE=one", "OCF_RESOURCE_TYPE=marker", "OCF_RESOURCE_PROVIDER=test",
		"OCF_ROOT=" + root, "OCF_RA_VERSION_MAJOR=1", "OCF_RA_VERSION_MINOR=1", "OCF_CHECK_LEVEL=0", "OCF_RESKEY_CRM_meta_interval=0", "HA_CURHOST=alpha",
	} {
		if !strings.Contains("\n"+string(env), "\n"+want+"\n") {
			t.Errorf("no %s in\n%s", want, env)
		}
	}
	_, rest, _ := strings.Cut(string(env), "OCF_RESKEY_CRM_meta_timeout=")
	if ms, _, _ := strings.Cut(rest, "\n"); len(ms) != 5 || ms > "20000" {
		t.Errorf("the agent has %q ms, want a little less than 20000", ms)
	}
}

func TestProviders(t *testing.T) {
	d, root := withMarker(t, marker)
	write(t, filepath.Join(root, "resource.d/heartbeat/both"), marker, 0o755)
	write(t, filepath.Join(root, "resource.d/test/both"), marker, 0o755)
	write(t, filepath.Join(root, "resource.d/heartbeat/text"), marker, 0o644)
	for word, want := range map[string]string{
		"OCF::both": "heartbeat/both", "OCF::test:both": "test/both", "OCF::marker": "test/marker", "OCF::text": "", "ocf:test:marker": "test/marker",
	} {
		got := d.Describe(spec(t, word))
		if want == "" && got != "not installed" || want != "" && got != filepath.Join(root, "resource.d", want) {
			t.Errorf("%s is %s, want %s", word, got, want)
		}
	}
}

func TestCheck(t *testing.T) {
	d, root := withMarker(t, marker)
	write(t, filepath.Join(root, "conf/OCF/marker/shell"), "A=$(hostname)\n", 0o644)
	write(t, filepath.Join(root, "resource.d/test/mute"), "#!/bin/sh\nexit 3\n", 0o755)
	d.cfg.Thorough = true
	for _, tt := range []struct {
		name, word, want string
		fatal            bool
	}{
		{"all is well", "OCF::marker::state=/run/x", "", false},
		{"a parameter is missing", "OCF::marker", "needs the parameter state", true},
		{"a parameter is unknown", "OCF::marker::state=/run/x::stat=y", "knows no parameter stat", false},
		{"the agent finds fault", "OCF::marker::state=/run/x::fails=1", "here and now: exit status 6, it is not configured: fails is set", false},
		{"a file is for a shell", "OCF::marker::shell", "conf/OCF/marker/shell: line 1 is not understood", true},
		{"no agent", "OCF::nothing", "no OCF agent nothing", true},
		{"an agent that says nothing", "OCF::mute", "does not say what it is: exit status 3", true},
		{"no word", "OCF", "not an OCF agent", true},
	} {
		got := d.Check(soon(t), spec(t, tt.word))
		switch {
		case tt.want == "" && got != nil, tt.want != "" && len(got) != 1:
			t.Errorf("%s: found %v", tt.name, got)
		case tt.want != "" && (got[0].Fatal != tt.fatal || !strings.Contains(got[0].Text, tt.want)):
			t.Errorf("%s: found %+v, want %q, fatal %v", tt.name, got[0], tt.want, tt.fatal)
		}
	}
	d.cfg.Thorough = false
	os.Remove(filepath.Join(root, "log"))
	if got := d.Check(soon(t), spec(t, "OCF::marker")); got != nil {
		t.Errorf("a look found %v", got)
	}
	if _, err := os.Stat(filepath.Join(root, "log")); err == nil {
		t.Error("a look has run the agent")
	}
}

// TestTheDummyOfResourceAgents runs an agent of somebody else's.
func TestTheDummyOfResourceAgents(t *testing.T) {
	const root = "/usr/lib/ocf"
	if _, err := os.Stat(filepath.Join(root, "resource.d/heartbeat/Dummy")); err != nil {
		t.Fatalf("%v: apt-get install resource-agents", err)
	}
	d := New(Config{Root: root, Runner: &process.Direct{}, Thorough: true})
	s := spec(t, "ocf:heartbeat:Dummy::state="+filepath.Join(t.TempDir(), "state"))
	if found := d.Check(soon(t), s); found != nil {
		t.Errorf("Check found %v", found)
	}
	for _, step := range []struct {
		do   func(context.Context, resources.Spec) error
		want resources.Status
	}{{nil, resources.Stopped}, {d.Start, resources.Running}, {d.Start, resources.Running}, {d.Stop, resources.Stopped}, {d.Stop, resources.Stopped}} {
		if step.do != nil {
			if err := step.do(soon(t), s); err != nil {
				t.Error(err)
			}
		}
		if got, err := d.Status(soon(t), s); got != step.want || err != nil {
			t.Errorf("Status: %v, %v, want %v", got, err, step.want)
		}
	}
}
