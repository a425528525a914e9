package main

import (
	"testing"

	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/ipaddr"
)

// TestWordsBuiltIn has the drivers of a real machine run the words that heartbeat
// has scripts for, whatever is installed, and refuse arguments that make no sense
// before anything is started.
func TestWordsBuiltIn(t *testing.T) {
	r := drivers(machine{}, ipaddr.Terms{})
	defer r.close()
	for _, tt := range []struct{ name, right, wrong string }{
		{"filesystem", "Filesystem::/dev/drbd0::/srv/data::ext4", "Filesystem::/dev/drbd0"},
		{"drbd", "drbddisk::r0", "drbddisk::r0::r1"},
		{"drbd", "datadisk::r0", "datadisk::"},
		{"drbd", "drbdupper::r0-U", "drbdupper"},
		{"mail", "MailTo::root::Web", "MailTo"},
		{"sendarp", "SendArp::192.0.2.10/eth0", "SendArp::192.0.2.10"},
		{"srcaddr", "IPsrcaddr::192.0.2.10", "IPsrcaddr"},
		{"portblock", "portblock::tcp::80::block", "portblock::tcp::80"},
		{"delay", "Delay", "Delay::1s"},
	} {
		for _, word := range []string{tt.right, tt.wrong} {
			s, err := resources.ParseSpec(word)
			if err != nil {
				t.Fatal(err)
			}
			name, d, err := r.driver(s)
			if name != tt.name || err != nil {
				t.Errorf("%s is run by %s (%v), want %s", word, name, err, tt.name)
			}
			p, ok := d.(resources.Parser)
			if !ok {
				t.Fatalf("%s: its driver does not judge arguments", word)
			}
			if err := p.Parse(s); (err == nil) != (word == tt.right) {
				t.Errorf("%s: got %v", word, err)
			}
			if _, ok := d.(resources.Checker); !ok {
				t.Errorf("%s: its driver has nothing for systole check", word)
			}
		}
	}
}
