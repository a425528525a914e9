package systemd

import (
	"strings"
	"testing"

	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/resourcetest"
)

var text = resourcetest.Text

func TestUnitName(t *testing.T) {
	tests := []struct {
		name string
		s    resources.Spec
		want string
		err  string
	}{
		{name: "a bare name is a service", s: resources.Spec{Name: "nginx"}, want: "nginx.service"},
		{name: "a service stays", s: resources.Spec{Name: "nginx.service"}, want: "nginx.service"},
		{name: "a mount stays", s: resources.Spec{Name: "srv-data.mount"}, want: "srv-data.mount"},
		{name: "a target stays", s: resources.Spec{Name: "web.target"}, want: "web.target"},
		{name: "another ending is part of the name", s: resources.Spec{Name: "org.example.Web"}, want: "org.example.Web.service"},
		{name: "an instance of a template", s: resources.Spec{Name: "postgresql@15-main"}, want: "postgresql@15-main.service"},
		{name: "an instance with a dot", s: resources.Spec{Name: "web@a.example"}, want: "web@a.example.service"},
		{name: "an escaped path", s: resources.Spec{Name: `srv-a\x2db.mount`}, want: `srv-a\x2db.mount`},
		{
			name: "arguments are refused",
			s:    resources.Spec{Name: "nginx", Args: []string{"foo"}},
			err:  "a unit takes no arguments: write nginx, and what it needs into the unit",
		},
		{
			name: "an empty argument is one",
			s:    resources.Spec{Name: "nginx", Args: []string{""}},
			err:  "a unit takes no arguments: write nginx, and what it needs into the unit",
		},
		{
			name: "a template needs an instance",
			s:    resources.Spec{Name: "postgresql@"},
			err:  "postgresql@ is a template: name an instance, as in postgresql@a",
		},
		{
			name: "a path is the name of another unit",
			s:    resources.Spec{Name: "/srv/data"},
			err:  `"/srv/data" is a path: "systemd-escape --path --suffix=mount" tells the name of its unit`,
		},
		{name: "a space is in no name", s: resources.Spec{Name: "my web"}, err: `"my web" is not the name of a unit`},
		{name: "only a suffix is no name", s: resources.Spec{Name: ".service"}, err: `".service" is not the name of a unit`},
		{name: "nothing is no name", err: `"" is not the name of a unit`},
		{name: "only an instance is no name", s: resources.Spec{Name: "@a"}, err: `"@a" is not the name of a unit`},
		{name: "255 characters are the most", s: resources.Spec{Name: strings.Repeat("x", 247)}, want: strings.Repeat("x", 247) + ".service"},
		{name: "256 are too many", s: resources.Spec{Name: strings.Repeat("x", 248)}, err: `"` + strings.Repeat("x", 248) + `" is not the name of a unit`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := unitName(tt.s)
			if message := text(err); got != tt.want || message != tt.err {
				t.Errorf("unitName(%v)\n got %q, %q\nwant %q, %q", tt.s, got, message, tt.want, tt.err)
			}
		})
	}
}
