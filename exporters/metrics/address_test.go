package metrics

import (
	"testing"

	"github.com/systole-ha/systole/agent/event"
)

func TestRecordOfUnitsAndAddresses(t *testing.T) {
	present := func(address, device string, present bool) event.AddressChanged {
		return event.AddressChanged{Address: address, Interface: device, Present: present}
	}
	tests := []struct {
		name  string
		steps []step
		want  []string
	}{
		{
			name:  "the first look at a unit makes one of its states true",
			steps: []step{at(1, event.UnitStateChanged{Unit: "nginx.service", To: "inactive", Sub: "dead"})},
			want:  []string{`systole_unit_state{state="inactive",unit="nginx.service"} 1`},
		},
		{
			name: "a unit that crashed and was restarted thrice, twice unheard",
			steps: []step{at(1, event.UnitStateChanged{Unit: "nginx.service", To: "active", Sub: "running"}),
				at(2, event.UnitRestarted{Unit: "nginx.service", Restarts: 1, Count: 1}, event.UnitRestarted{Unit: "nginx.service", Restarts: 3, Count: 2}),
				at(3, event.UnitStateChanged{Unit: "nginx.service", From: "active", To: "failed", Sub: "failed"})},
			want: []string{`systole_unit_restarts_total{unit="nginx.service"} 3`, `systole_unit_state{state="failed",unit="nginx.service"} 1`},
		},
		{
			name: "a unit and an address that nobody configured",
			steps: []step{at(1, event.UnitStateChanged{Unit: "cron.service", To: "active"}, event.UnitRestarted{Unit: "cron.service", Count: 1},
				present("192.0.2.99", "eth0", true), event.AddressConflict{Address: "192.0.2.99"}, event.AddressConflictCleared{Address: "192.0.2.99"},
				event.AddressAnnounced{Address: "192.0.2.99", Sent: 2})},
		},
		{
			name:  "an address comes to its interface",
			steps: []step{at(1, present("192.0.2.10", "eth0", true))},
			want:  []string{`systole_address_present{address="192.0.2.10",interface="eth0"} 1`},
		},
		{
			name:  "an address whose interface haresources does not name",
			steps: []step{at(1, present("192.0.2.20", "eth1", true)), at(2, present("192.0.2.20", "eth1", false))},
			want:  []string{`systole_address_present{address="192.0.2.20",interface="eth1"} 0`},
		},
		{
			name:  "an address that moves to another interface, whatever is told first",
			steps: []step{at(1, present("192.0.2.10", "eth1", true)), at(2, present("192.0.2.10", "eth0", true)), at(2, present("192.0.2.10", "eth1", false))},
			want:  []string{`systole_address_present{address="192.0.2.10",interface="eth0"} 1`},
		},
		{
			name: "a conflict, told twice",
			steps: []step{at(1, event.AddressConflict{Address: "192.0.2.10", Interface: "eth0", Theirs: "02:00:00:00:00:02"}),
				at(61, event.AddressConflict{Address: "192.0.2.10", Interface: "eth0", Theirs: "02:00:00:00:00:02"})},
			want: []string{`systole_address_conflict{address="192.0.2.10"} 1`, `systole_address_conflicts_total{address="192.0.2.10"} 2`},
		},
		{
			name: "a conflict that is over",
			steps: []step{at(1, event.AddressConflict{Address: "192.0.2.10", Interface: "eth0"}),
				at(61, event.AddressConflictCleared{Address: "192.0.2.10", Interface: "eth0"})},
			want: []string{`systole_address_conflicts_total{address="192.0.2.10"} 1`},
		},
		{
			name: "announcements, some of which failed",
			steps: []step{at(1, event.AddressAnnounced{Address: "2001:db8::20", Interface: "eth0", Sent: 1}),
				at(2, event.AddressAnnounced{Address: "2001:db8::20", Interface: "eth0", Sent: 1, Failed: 1, Error: "no buffer space"})},
			want: []string{`systole_gratuitous_arp_errors_total{address="2001:db8::20"} 1`, `systole_gratuitous_arp_sent_total{address="2001:db8::20"} 2`},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { moves(t, tt.steps, tt.want) })
	}
}
