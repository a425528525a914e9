package config

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// devices are two that a cluster of alpha and beta can be fenced by.
const devices = `fencing:
  devices:
    - {node: alpha, agent: fence_ipmilan, parameters: {ip: 192.0.2.1, lanplus: 1}, secrets: ipmi}
    - {node: beta, agent: 'stonith:external/ipmi', level: 2}
    - {node: beta, agent: /usr/local/sbin/switch, parameters: {plug: socket 7}}
`

func fencing(text string) fstest.MapFS {
	files := with(map[string]string{SystoleYAML: text})
	files["ipmi"] = &fstest.MapFile{Data: []byte("# of the board\npassword=a=b c\n"), Mode: 0o600}
	files["open"] = &fstest.MapFile{Data: []byte("password=x\n"), Mode: 0o644}
	files["bad"] = &fstest.MapFile{Data: []byte("hunter2\n"), Mode: 0o600}
	return files
}

func TestFencing(t *testing.T) {
	c, ds := Load(fencing(devices), machine("alpha"))
	check(t, ds, nil)
	f := c.Fencing
	if !f.Enabled() || f.Action != "off" || f.Delay != 5*time.Second || f.Timeout != time.Minute || f.Tries != 2 || f.Retry != time.Minute || f.OnFailure != FailWait {
		t.Errorf("defaults: %+v", f)
	}
	beta := f.Of("beta")
	if len(beta) != 2 || beta[0][0].Agent != "/usr/local/sbin/switch" || beta[1][0].Agent != "stonith:external/ipmi" {
		t.Errorf("beta is switched off by %+v", beta)
	}
	if alpha := f.Of("alpha"); len(alpha) != 1 || fmt.Sprint(alpha[0][0].Parameters) != "[{ip 192.0.2.1} {lanplus 1}]" || alpha[0][0].Origin != "systole.yaml:3" {
		t.Errorf("alpha is switched off by %+v", alpha)
	}
	if printed := fmt.Sprintf("%+v %#v", c, c); strings.Contains(printed, "a=b c") {
		t.Error("a configuration that is printed shows the secret")
	}
}

func TestFencingMistakes(t *testing.T) {
	both := "fencing: {devices: [{node: alpha, agent: manual}, {node: beta, agent: manual}]"
	one := func(device string) string {
		return "fencing:\n  devices:\n  - {node: alpha, agent: manual}\n  - " + device + "\n"
	}
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"lengths of time, and words", strings.Replace(both, "{devices", "{action: shoot, delay: never, timeout: 0, tries: 0, on_failure: pray, devices", 1) + "}", []string{
			"systole.yaml:1: fencing.action: shoot is not one of off, reboot",
			"systole.yaml:1: fencing.delay: not a time: never",
			"systole.yaml:1: fencing.timeout: must be more than nothing",
			"systole.yaml:1: fencing.tries: 0 is no number of tries (1 to 10)",
			"systole.yaml:1: fencing.on_failure: pray is not one of wait, addresses",
		}},
		{"no delay is one", strings.Replace(both, "{devices", "{delay: 0, devices", 1) + "}", nil},
		{"both nodes have a device, or neither", "fencing:\n  devices:\n  - {node: alpha, agent: manual}\n",
			[]string{"systole.yaml:3: fencing.devices: nothing switches beta off: when it is silent, nobody could take its groups; write a device for it, if need be with agent: manual"}},
		{"a list of devices", "fencing: {devices: alpha}", []string{"systole.yaml:1: fencing.devices: not a list of devices"}},
		{"a device has keys", one("beta"), []string{
			"systole.yaml:3: fencing.devices: nothing switches beta off: when it is silent, nobody could take its groups; write a device for it, if need be with agent: manual",
			"systole.yaml:4: fencing.devices: not a list of keys and values"}},
		{"some it needs", one("{node: beta}"), []string{"systole.yaml:4: fencing.devices: a device needs agent:"}},
		{"others it does not have", one("{node: beta, agent: manual, params: {}}"), []string{"systole.yaml:4: fencing.devices.params: unknown key; the keys are node, agent, level, parameters, secrets"}},
		{"each once", one("{node: beta, agent: manual, agent: manual}"), []string{"systole.yaml:4: fencing.devices.agent: given twice"}},
		{"an agent is one", one("{node: beta, agent: ipmilan}"),
			[]string{"systole.yaml:4: fencing.devices.agent: ipmilan is no fence agent; write fence_ipmilan or the like, stonith:external/ipmi or the like, the full path of a program, or manual"}},
		{"none that is to be found in another folder", one("{node: beta, agent: fence_/../../tmp/x}"),
			[]string{"systole.yaml:4: fencing.devices.agent: fence_/../../tmp/x is no fence agent; write fence_ipmilan or the like, stonith:external/ipmi or the like, the full path of a program, or manual"}},
		{"what is asked is ours to say", one("{node: beta, agent: fence_ipmilan, parameters: {action: on}}"),
			[]string{"systole.yaml:4: fencing.devices.parameters: no parameter that a fence agent may be given"}},
		{"a value is on one line, or it would be two parameters", one(`{node: beta, agent: fence_ipmilan, parameters: {ip: "1\naction=on"}}`),
			[]string{"systole.yaml:4: fencing.devices.parameters.ip: needs one plain value, on one line"}},
		{"nobody else may read secrets", one("{node: beta, agent: fence_ipmilan, secrets: open}"),
			[]string{"systole.yaml:4: fencing.devices.secrets: others can read open (mode 0644); chmod 600 open"}},
		{"what is wrong with them is not repeated", one("{node: beta, agent: fence_ipmilan, secrets: bad}"),
			[]string{"systole.yaml:4: fencing.devices.secrets: bad:1: not understood: write name=value, such as password=SECRET"}},
		{"two power supplies can be switched off", one("{node: beta, agent: fence_a}\n  - {node: beta, agent: fence_b}"), nil},
		{"but not one after the other off and on", one("{node: beta, agent: fence_a}\n  - {node: beta, agent: fence_b}\n  action: reboot"),
			[]string{"systole.yaml:5: fencing.devices: two devices at level 1 of beta cannot reboot it: the first would switch it on again before the second switches it off; write action: off, or level: 2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, ds := Load(fencing(tt.text), machine("alpha"))
			check(t, ds, tt.want)
		})
	}
}

// TestStonith reads the directives of ha.cf.
func TestStonith(t *testing.T) {
	base := "node alpha beta\nbcast eth0 eth1\nauto_failback on\n"
	for _, tt := range []struct {
		name, hacf, yaml, action string
		want                     []string // levels of beta
	}{
		{"a plugin that reads a file", "stonith wti_nps /etc/wti.conf", "", "reboot", []string{"stonith:wti_nps file=/etc/wti.conf line="}},
		{"the device of this node, and of all; that of the other is passed over",
			"stonith_host alpha external/ipmi beta 192.0.2.2 admin secret\nstonith_host * meatware beta\nstonith_host beta null alpha", "", "reboot",
			[]string{"stonith:external/ipmi file= line=beta 192.0.2.2 admin secret", "stonith:meatware file= line=beta"}},
		{"systole.yaml can change what is done", "stonith_host * null beta", "fencing: {action: off}", "off", []string{"stonith:null file= line=beta"}},
		{"and takes the place of all of them", "stonith_host * null beta", "fencing: {devices: [{node: alpha, agent: manual}, {node: beta, agent: manual}]}", "off",
			[]string{"manual file= line="}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, ds := Load(with(map[string]string{HaCf: base + tt.hacf + "\n", SystoleYAML: tt.yaml}), machine("alpha"))
			if ds.Count(Error) > 0 {
				t.Fatal(ds)
			}
			var got []string
			for _, level := range c.Fencing.Of("beta") {
				for _, d := range level {
					line := ""
					if d.Line != nil {
						line = d.Line()
					}
					got = append(got, fmt.Sprintf("%s file=%s line=%s", d.Agent, d.File, line))
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(tt.want) || string(c.Fencing.Action) != tt.action {
				t.Errorf("beta is fenced (%s) by\n got %q\nwant %q (%s)", c.Fencing.Action, got, tt.want, tt.action)
			}
			if strings.Contains(fmt.Sprintf("%+v", c), "secret") {
				t.Error("a configuration that is printed shows the line")
			}
		})
	}
}
