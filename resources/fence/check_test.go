package fence

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// virsh is an agent with the metadata of Debian 12's fence_virsh.
func virsh(t *testing.T) string {
	xml, err := filepath.Abs("testdata/fence_virsh.xml")
	if err != nil {
		t.Fatal(err)
	}
	return agent(t, "read action; [ $action = action=metadata ] && exec cat "+xml)
}

func text(s string) func() string { return func() string { return s } }

func TestCheck(t *testing.T) {
	line := filepath.Join(t.TempDir(), "stonith.conf")
	if err := os.WriteFile(line, []byte("alpha beta\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	address := Parameter{"ip", "192.0.2.1"}
	user := Parameter{"username", "systole"}
	for _, tt := range []struct {
		name   string
		device Device
		action Action
		want   []string // parts of the findings, in order
	}{
		{"an agent that has what it needs, its secret too",
			Device{Agent: virsh(t), Parameters: []Parameter{address, user}, Secrets: NewSecrets([]Parameter{{"password", "x"}})}, Off, nil},
		{"by the older names of parameters", Device{Agent: virsh(t), Parameters: []Parameter{{"ipaddr", "192.0.2.1"}, {"login", "x"}}}, Off, nil},
		{"one that lacks what it needs", Device{Agent: virsh(t), Parameters: []Parameter{user}}, Off, []string{"needs ip, which is not given"}},
		{"a parameter that it does not know", Device{Agent: virsh(t), Parameters: []Parameter{address, user, {"passwort", "x"}}}, Off,
			[]string{"does not know the parameter passwort"}},
		{"an action that it does not know", Device{Agent: agent(t, "echo '<resource-agent/>'")}, Reboot, []string{"does not know the action reboot"}},
		{"an agent that is not there", Device{Agent: "fence_nobody_has_written"}, Off, []string{"not installed"}},
		{"one that says nothing of itself", Device{Agent: agent(t, "echo sorry")}, Off, []string{"metadata is not understood"}},
		{"a plugin of cluster-glue that lacks what it needs, and is for tests", Device{Agent: "stonith:null"}, Off,
			[]string{"stonith:null is UNSAFE", "needs hostlist"}},
		{"and that has it from a line of ha.cf", Device{Agent: "stonith:null", Line: text("alpha beta")}, Off, []string{"UNSAFE"}},
		{"or from a file that others can read", Device{Agent: "stonith:external/ssh", File: line}, Off, []string{"by ssh", "chmod 600"}},
		{"or from one that is not there", Device{Agent: "stonith:external/ipmi", File: line + "x"}, Off, []string{"no such file"}},
		{"a plugin that nobody has written", Device{Agent: "stonith:external/nosuch"}, Off, []string{"external/nosuch"}},
		{"a person", Device{Agent: "stonith:meatware", Line: text("alpha beta")}, Off, []string{"waits for a person"}},
		{"ours for a person", Device{Agent: Manual}, Off, []string{"waits for a person"}},
		{"ours for tests", Device{Agent: Null}, Off, []string{"UNSAFE"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.device.Node = "beta"
			got := tt.device.Check(within(t, time.Minute), tt.action)
			if len(got) != len(tt.want) {
				t.Fatalf("%d findings, want %d: %v", len(got), len(tt.want), got)
			}
			for i, part := range tt.want {
				if !strings.Contains(got[i].Text, part) {
					t.Errorf("finding %q, want %q in it", got[i].Text, part)
				}
			}
		})
	}
}

// TestPlugins drives cluster-glue's own command.
func TestPlugins(t *testing.T) {
	null := Device{Node: "beta", Agent: "stonith:null", Line: text("alpha beta")}
	byName := Device{Node: "beta", Agent: "stonith:null", Parameters: []Parameter{{"hostlist", "alpha beta"}}}
	for _, tt := range []struct {
		name   string
		device Device
		action Action
		want   string // part of the error; empty for none
	}{
		{"off", null, Off, ""},
		{"reset", null, Reboot, ""},
		{"status", null, Monitor, ""},
		{"with parameters by name", byName, Off, ""},
		{"a plugin without parameters", Device{Node: "beta", Agent: "stonith:external/ipmi"}, Monitor, "exit status"},
		{"no such plugin", Device{Node: "beta", Agent: "stonith:nosuch", Line: text("x")}, Off, "no such plugin"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.device.Do(within(t, time.Minute), tt.action)
			if (tt.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Do said %v, want %q", err, tt.want)
			}
		})
	}
}

// TestNoSecretOnACommandLine looks at what stonith would be started with.
func TestNoSecretOnACommandLine(t *testing.T) {
	for _, d := range []Device{
		{Node: "beta", Agent: "stonith:external/ipmi", Secrets: NewSecrets([]Parameter{{"passwd", "hunter2"}})},
		{Node: "beta", Agent: "stonith:wti_nps", Line: text("192.0.2.1 hunter2")},
	} {
		plugin, _ := d.plugin()
		p := d.plug(plugin, Off)
		if slices.ContainsFunc(p.args, func(a string) bool { return strings.Contains(a, "hunter2") }) {
			t.Errorf("the secret is on the command line: %q", p.args)
		}
		if !strings.Contains(strings.Join(p.env, " ")+p.stdin, "hunter2") {
			t.Error("the secret is not told at all")
		}
	}
}
