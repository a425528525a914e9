package config

import (
	"fmt"
	"testing"
	"time"
)

func TestLeases(t *testing.T) {
	const ms, s = time.Millisecond, time.Second
	for _, tt := range []struct {
		name                  string
		leases                string
		deadtime, keepalive   time.Duration
		gate, lifetime, lease time.Duration
	}{
		{"a long deadtime leaves whole seconds", "", 10 * s, s, 0, 8 * s, 8 * s},
		{"and needs no gate", "on", 2 * s, 200 * ms, 0, s, s},
		{"which may be wanted all the same", "gate", 2 * s, 200 * ms, 1580 * ms, s, 1580 * ms},
		{"one second is the shortest", "", 1350 * ms, 100 * ms, 0, s, s},
		{"below it there is the gate, with the shortest behind it", "", 1349 * ms, 100 * ms, 1129 * ms, s, 1129 * ms},
		{"at half a second", "", 500 * ms, 100 * ms, 280 * ms, s, 280 * ms},
		{"three keepalives bear no lost heartbeat", "", 300 * ms, 100 * ms, 180 * ms, s, 180 * ms},
		{"at a tenth of a second", "", 100 * ms, 20 * ms, 40 * ms, s, 40 * ms},
		{"a gate that one late heartbeat would shut is none", "", 80 * ms, 20 * ms, 0, s, 0},
		{"without the gate what stands still keeps its addresses for a second", "address", 500 * ms, 100 * ms, 0, s, 0},
		{"a second is too short for a keepalive near it", "address", 1800 * ms, 700 * ms, 0, 0, 0},
		{"nothing is nothing", "off", 10 * s, s, 0, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			hacf := fmt.Sprintf("node alpha beta\nbcast eth0 eth1\nauto_failback on\nkeepalive %dms\ndeadtime %dms\n", tt.keepalive/ms, tt.deadtime/ms)
			files := map[string]string{HaCf: hacf}
			if tt.leases != "" {
				files[SystoleYAML] = "leases: " + tt.leases + "\n"
			}
			c, _ := Load(with(files), machine("alpha"))
			if got := []time.Duration{c.Gate(), c.Lifetime(), c.Lease()}; got[0] != tt.gate || got[1] != tt.lifetime || got[2] != tt.lease {
				t.Errorf("gate, lifetime and lease are\n got %v\nwant %v", got, []time.Duration{tt.gate, tt.lifetime, tt.lease})
			}
		})
	}
}

func TestLeasesAreSpelt(t *testing.T) {
	_, ds := Load(with(map[string]string{SystoleYAML: "leases: nft\n"}), machine("alpha"))
	check(t, ds, []string{"systole.yaml:1: leases: nft is none of on, off, address, gate"})
}
