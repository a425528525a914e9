package observe

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/systole-ha/systole/test/cluster"
	"github.com/systole-ha/systole/test/lab"
)

// A scenario is what befalls a cluster in its life, as fast as it goes.
type scenario struct {
	*site
	ear *eavesdropper
}

// everything is a cluster in which all that can be configured is.
func everything() lab.Files {
	f := files(calm, []string{"alpha " + address + " nginx", "beta IPaddr::192.0.2.60/24/eth0 worker"},
		"auto_failback on", "ping 192.0.2.100", webhookTo, deafTo, "flight_recorder on")
	f["authkeys"] += "2 crc\n"
	return f
}

// worker is the service that crashes. It takes its time to stop, so that what
// waits for it is seen by a scrape.
const worker = "[Service]\nExecStart=/usr/bin/sleep infinity\nExecStop=/usr/bin/sleep 1.5\nRestart=always\nRestartSec=100ms\n"

// steps are in an order in which each leaves both nodes well. A scrape or two
// must see what lasts.
func (s scenario) steps() []struct {
	name string
	do   func()
} {
	return []struct {
		name string
		do   func()
	}{
		{"death and failback", s.death},
		{"standby and back", s.standby},
		{"a dead link", s.deadLink},
		{"a ping node that does not answer", s.pingNode},
		{"a unit that crashes", s.crash},
		{"a unit that does not start", s.failedStart},
		{"pauses of more than half of deadtime", s.pauses},
		{"datagrams that nobody should believe", s.rejected},
		{"datagrams twice, late, and not at all", s.disorder},
		{"a split", s.split},
		{"another file, another version", s.difference},
		{"a file with an error, read again", s.reload},
		{"another machine with the same address", s.conflict},
		{"a journal that stands still", s.deafJournal},
		{"announcements that fail", s.unannounced},
		{"more events than a webhook takes", s.flood},
		{"a clean stop of everything, and one node alone", s.alone},
	}
}

// scraped lets Prometheus see how things are.
func (s scenario) scraped() { pass(s.t, 2500*time.Millisecond) }

func (s scenario) death() {
	s.powerOff(s.alpha)
	s.held(virtual, s.beta)
	s.scraped()
	s.comeBack(s.alpha)
}

func (s scenario) standby() {
	s.run(s.alpha, "hb_standby", "all")
	s.settled()
	s.scraped()
	s.run(s.alpha, "hb_takeover", "local")
}

func (s scenario) deadLink() {
	since := time.Now()
	must(s.t, s.alpha.Cut(lab.Private, lab.Both))
	s.entry(s.beta, since, "link.down")
	s.scraped()
	must(s.t, s.alpha.Heal(lab.Private))
	s.entry(s.beta, since, "link.up")
	// And one whose device is gone: nothing can be sent.
	s.run(s.alpha, "ip", "link", "set", "eth1", "down")
	s.scraped()
	s.run(s.alpha, "ip", "link", "set", "eth1", "up")
	s.entry(s.alpha, since, "link.up")
}

func (s scenario) pingNode() {
	since := time.Now()
	must(s.t, s.lose(s.alpha, "icmp type echo-reply"))
	s.entry(s.alpha, since, "peer.state_changed", "peer", "192.0.2.100", "to", "dead")
	s.scraped()
	must(s.t, s.hear(s.alpha))
	s.entry(s.alpha, since, "peer.state_changed", "peer", "192.0.2.100", "to", "ping")
}

func (s scenario) crash() {
	for range 4 {
		before := s.mainPID(s.beta, "worker")
		must(s.t, s.beta.Signal(soon(s.t), "worker", "KILL"))
		s.eventually("systemd to start it again", func() error {
			if pid := s.mainPID(s.beta, "worker"); pid == before || pid == "0" {
				return fmt.Errorf("its process is %s", pid)
			}
			return nil
		})
	}
}

func (s scenario) mainPID(n *lab.Node, unit string) string {
	s.t.Helper()
	return s.run(n, "systemctl", "show", "--value", "--property=MainPID", unit)
}

// failedStart has nginx fail on alpha after a while, so that it goes to beta.
func (s scenario) failedStart() {
	since := time.Now()
	const dropIn = "/etc/systemd/system/nginx.service.d"
	must(s.t, s.alpha.Configure(dropIn, lab.Files{"fails.conf": "[Service]\nExecStartPre=/bin/sh -c 'sleep 2.5; false'\n"}))
	must(s.t, s.alpha.Reload(soon(s.t)))
	s.run(s.alpha, "hb_standby", "all")
	s.settled()
	s.run(s.alpha, "hb_takeover", "local")
	s.entry(s.alpha, since, "takeover.failed")
	s.held(virtual, s.beta)
	s.run(s.alpha, "rm", dropIn+"/fails.conf")
	must(s.t, s.alpha.Reload(soon(s.t)))
	s.settled()
	s.run(s.alpha, "hb_takeover", "local")
	s.held(virtual, s.alpha)
}

// pauses stops alpha's daemon five times for 0.6 of deadtime.
func (s scenario) pauses() {
	for range 5 {
		since := time.Now()
		must(s.t, s.alpha.Signal(soon(s.t), cluster.Unit, "STOP"))
		pass(s.t, calm.Deadtime*6/10)
		must(s.t, s.alpha.Signal(soon(s.t), cluster.Unit, "CONT"))
		s.entry(s.beta, since, "heartbeat.late")
	}
}

func (s scenario) rejected() {
	since := time.Now()
	for range 20 {
		s.ear.say([]byte("this is no heartbeat"))
	}
	s.entry(s.beta, since, "heartbeat.rejected")
}

// disorder plays alpha's own heartbeats to beta again.
func (s scenario) disorder() {
	s.ear.say(s.ear.newest())
	must(s.t, s.deafen(s.beta, "eth0", "eth1"))
	missed := s.ear.newest()
	s.ear.next()
	must(s.t, s.hear(s.beta))
	s.ear.newest()
	s.ear.say(missed)
	s.scraped()
}

func (s scenario) split() {
	since := time.Now()
	s.both(func(n *lab.Node) error { return s.deafen(n, "eth0", "eth1") })
	s.held(virtual, s.beta)
	s.scraped()
	s.both(s.hear)
	s.entry(s.beta, since, "split_brain.cleared")
}

// difference lets beta run another version with another deadtime for a while.
func (s scenario) difference() {
	asWas := everything()["ha.cf"]
	other, err := os.ReadFile(s.otherVersion())
	must(s.t, err)
	must(s.t, s.beta.WriteFile("/usr/sbin/systole.other", other, 0o755))
	s.run(s.beta, "sh", "-c", "cd /usr/sbin && cp -p systole systole.own && mv systole.other systole")
	must(s.t, s.beta.Configure("/etc/ha.d", lab.Files{"ha.cf": asWas + "deadtime 2100ms\n"}))
	s.run(s.beta, "systemctl", "restart", cluster.Unit)
	s.settled()
	s.scraped()
	must(s.t, s.beta.Configure("/etc/ha.d", lab.Files{"ha.cf": asWas}))
	s.run(s.beta, "mv", "/usr/sbin/systole.own", "/usr/sbin/systole")
	s.run(s.beta, "systemctl", "restart", cluster.Unit)
}

// otherVersion is this daemon as a later release of it.
func (s scenario) otherVersion() string {
	s.t.Helper()
	file := filepath.Join(s.t.TempDir(), "systole")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-X github.com/prometheus/common/version.Version=99.0.0", "-o", file, "../../cmd/systole")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	if err != nil {
		s.t.Fatalf("build another version: %v\n%s", err, out)
	}
	return file
}

// reload has alpha read a file with an error, then one key more, then all as it
// was.
func (s scenario) reload() {
	asWas := everything()
	for _, edit := range []struct{ file, more string }{{"ha.cf", "keepalive never\n"}, {"authkeys", "3 md5 another\n"}, {}} {
		edited := maps.Clone(asWas)
		edited[edit.file] += edit.more
		delete(edited, "")
		must(s.t, s.alpha.Configure("/etc/ha.d", edited))
		s.run(s.alpha, "systemctl", "reload", cluster.Unit)
		s.scraped()
	}
}

// conflict gives the client an address that beta holds.
func (s scenario) conflict() {
	for _, verb := range []string{"add", "delete"} {
		_, err := s.lab.Client().Run(soon(s.t), "ip", "address", verb, "192.0.2.60/32", "dev", "eth0")
		must(s.t, err)
		s.scraped()
	}
}

// deafJournal stops journald while there is something to tell.
func (s scenario) deafJournal() {
	must(s.t, s.alpha.Signal(soon(s.t), "systemd-journald", "STOP"))
	s.run(s.alpha, "hb_standby", "all")
	s.settled()
	s.run(s.alpha, "hb_takeover", "local")
	s.settled()
	s.scraped()
	must(s.t, s.alpha.Signal(soon(s.t), "systemd-journald", "CONT"))
}

// unannounced lets no ARP of alpha's pass while the address comes to it.
func (s scenario) unannounced() {
	since := time.Now()
	s.run(s.alpha, "hb_standby", "all")
	s.settled()
	const mute = "table netdev mute { chain out { type filter hook egress device eth0 priority 0; ether type arp drop; }; }"
	s.run(s.alpha, "nft", mute)
	s.run(s.alpha, "hb_takeover", "local")
	s.entry(s.alpha, since, "takeover.completed", "trigger", "takeover")
	s.scraped()
	s.run(s.alpha, "nft", "delete", "table", "netdev", "mute")
}

// flood asks alpha for what it has until more has happened than waits for a
// webhook that never answers.
func (s scenario) flood() {
	s.run(s.alpha, "sh", "-c", "for i in $(seq 300); do hb_takeover local >/dev/null; done; true")
	s.scraped()
}

// alone starts one node alone, which remembers that its last takeover was slow.
func (s scenario) alone() {
	s.both(func(n *lab.Node) error { return n.Stop(within(s.t, time.Minute), cluster.Unit) })
	s.scraped()
	s.run(s.beta, "sed", "-i", `s/"takeover_took_ns":[0-9]*/"takeover_took_ns":31000000000/`, "/var/lib/systole/takeover.json")
	must(s.t, cluster.Start(soon(s.t), s.beta))
	s.held(virtual, s.beta) // after initdead
	s.scraped()
	must(s.t, cluster.Start(soon(s.t), s.alpha))
}
