package config

import (
	"slices"
	"testing"
)

func TestFilesDiffer(t *testing.T) {
	const haCf, yaml = "node alpha beta\nbcast eth0\nkeepalive 2\n", "web:\n  listen_address: :1\n"
	before, _ := Load(with(map[string]string{HaCf: haCf, SystoleYAML: yaml}), machine("alpha"))
	for _, tt := range []struct {
		name     string
		replaced map[string]string
		want     []string
	}{
		{name: "nothing has changed"},
		{name: "a comment, a blank line and blanks are no change", replaced: map[string]string{HaCf: "# new\nnode  alpha\tbeta\n\nbcast eth0 \n  keepalive 2\n"}},
		{name: "another value is", replaced: map[string]string{HaCf: haCf + "deadtime 5\n"}, want: []string{HaCf}},
		{name: "a link more is, though both nodes need not have it", replaced: map[string]string{HaCf: haCf + "bcast eth1\n"}, want: []string{HaCf}},
		{name: "indentation of YAML is", replaced: map[string]string{SystoleYAML: "web:\nlisten_address: :1\n"}, want: []string{SystoleYAML}},
		{name: "blanks at the ends of its lines are not", replaced: map[string]string{SystoleYAML: "web: \n  # a port\n  listen_address: :1\r\n"}},
		{name: "a group more is", replaced: map[string]string{Haresources: "alpha 192.0.2.99\n"}, want: []string{Haresources}},
		{name: "keys are another matter", replaced: map[string]string{Authkeys: "auth 1\n1 sha1 another\n"}},
		{name: "two files", replaced: map[string]string{HaCf: "node alpha\n", SystoleYAML: ""}, want: []string{HaCf, SystoleYAML}},
	} {
		files := map[string]string{HaCf: haCf, SystoleYAML: yaml}
		for name, text := range tt.replaced {
			files[name] = text
		}
		now, _ := Load(with(files), machine("alpha"))
		if got := now.Differ(before); !slices.Equal(got, tt.want) {
			t.Errorf("%s:\n got %v\nwant %v", tt.name, got, tt.want)
		}
	}
}
