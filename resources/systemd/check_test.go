package systemd

import (
	"slices"
	"testing"
	"time"

	"github.com/systole-ha/systole/resources"
)

func TestCheck(t *testing.T) {
	fatal := func(text string) []resources.Finding { return []resources.Finding{{Fatal: true, Text: text}} }
	warning := func(text string) []resources.Finding { return []resources.Finding{{Text: text}} }
	const disable = `nginx.service starts at boot beside systole: run "systemctl disable nginx.service"`
	tests := []struct {
		name string
		unit *fakeUnit
		args []string
		want []resources.Finding
	}{
		{name: "nothing to say", unit: &fakeUnit{}},
		{name: "nothing to say of one that runs", unit: &fakeUnit{active: "active", sub: "running"}},
		{
			name: "arguments",
			unit: &fakeUnit{},
			args: []string{"foo"},
			want: fatal("a unit takes no arguments: write nginx, and what it needs into the unit"),
		},
		{name: "a unit that is not there", unit: &fakeUnit{missing: true}, want: fatal("no such unit nginx.service: is its package installed?")},
		{name: "a masked unit", unit: &fakeUnit{masked: true}, want: fatal(`nginx.service is masked: run "systemctl unmask nginx.service"`)},
		{
			name: "a unit that only others may start",
			unit: &fakeUnit{more: properties{"RefuseManualStart": true}},
			want: fatal("nginx.service refuses to be started by hand (RefuseManualStart=yes)"),
		},
		{
			name: "a unit that only others may stop",
			unit: &fakeUnit{more: properties{"RefuseManualStop": true}},
			want: fatal("nginx.service refuses to be stopped by hand (RefuseManualStop=yes), so it could never be handed over"),
		},
		{
			name: "a unit that is over once it has run",
			unit: &fakeUnit{service: properties{"Type": "oneshot"}},
			want: fatal("nginx.service cannot be a resource: Type=oneshot without RemainAfterExit=yes is over once it has run, and cannot be held"),
		},
		{name: "a oneshot that remains", unit: &fakeUnit{service: properties{"Type": "oneshot", "RemainAfterExit": true}}},
		{name: "a unit that is enabled", unit: &fakeUnit{more: properties{"UnitFileState": "enabled"}}, want: warning(disable)},
		{name: "a unit that is enabled until the next boot", unit: &fakeUnit{more: properties{"UnitFileState": "enabled-runtime"}}, want: warning(disable)},
		{
			name: "an init script that is enabled",
			unit: &fakeUnit{more: properties{"UnitFileState": "generated", "WantedBy": []string{"multi-user.target"}}},
			want: warning(disable),
		},
		{name: "an init script that is not", unit: &fakeUnit{more: properties{"UnitFileState": "generated"}}},
		{
			name: "a unit that another one wants",
			unit: &fakeUnit{more: properties{"UnitFileState": "static", "RequiredBy": []string{"web.target"}}},
			want: warning("nginx.service is started by web.target beside systole"),
		},
		{
			name: "a unit with a socket",
			unit: &fakeUnit{more: properties{"TriggeredBy": []string{"nginx.socket"}}},
			want: warning("nginx.socket may start nginx.service again after systole has stopped it: stop and disable it"),
		},
		{
			name: "a unit whose file has changed",
			unit: &fakeUnit{more: properties{"NeedDaemonReload": true}},
			want: warning(`the file of nginx.service has changed since systemd read it: run "systemctl daemon-reload"`),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, f, _ := newDriver(t, map[string]*fakeUnit{"nginx.service": tt.unit})
			got := d.Check(within(t, 10*time.Second), resources.Spec{Name: "nginx", Args: tt.args})
			if !slices.Equal(got, tt.want) {
				t.Errorf("Check\n got %v\nwant %v", got, tt.want)
			}
			if calls := f.log(); len(calls) > 0 {
				t.Errorf("Check asked for %q", calls)
			}
		})
	}
}
