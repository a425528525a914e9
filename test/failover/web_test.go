package failover

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/systole-ha/systole/test/lab"
)

// TestWebTutorial is a tutorial of two web servers as its readers follow it:
// its three files with an address of the lab's, its times, its commands, and
// what it says one then sees.
func TestWebTutorial(t *testing.T) {
	const keepalive, deadtime = 2 * time.Second, 10 * time.Second
	virtual := netip.MustParseAddr("192.0.2.243")
	p := newPair(t, readFiles(t, "testdata/web"), lab.WithNodes("web1", "web2"))
	web1, web2 := p.alpha, p.beta
	for _, n := range p.nodes() {
		must(t, n.WriteFile("/var/www/html/index.html", []byte(n.Name()+"\n"), 0o644))
		p.run(n, "systemctl", "enable", "systole") // what comes back after a power cut
	}
	p.start(p.nodes()...)
	p.held(virtual, web1)

	p.says(web1, "local", "rscstatus")
	p.says(web2, "local", "rscstatus") // as heartbeat: all of its own, which is none
	p.says(web1, "active", "nodestatus", "web2")

	// The second server off.
	off := p.powerOff(web2)
	p.says(web1, "dead", "nodestatus", "web2")
	t.Logf("web1 calls web2 dead %v after its power-off", round(time.Since(off)))
	p.says(web1, "all", "rscstatus")
	must(t, web2.Boot(within(t, time.Minute)))
	p.says(web1, "active", "nodestatus", "web2")
	p.says(web1, "local", "rscstatus")
	p.says(web2, "local", "rscstatus")

	// The first server off: its address and its service are on the second.
	page, echo := p.probe("http://192.0.2.243/"), p.probe("icmp://192.0.2.243")
	p.answered(page, web1)
	p.answered(echo)
	p.powerOff(web1)
	p.answered(page, web2)
	p.answered(echo)
	p.says(web2, "dead", "nodestatus", "web1")
	p.says(web2, "all", "rscstatus")
	p.missed("web1 off: no answer to a ping", echo, deadtime+keepalive)
	p.missed("web1 off: no page", page, deadtime+keepalive)

	// The first server back, and with it the address.
	page, echo = p.probe("http://192.0.2.243/"), p.probe("icmp://192.0.2.243")
	p.answered(page, web2)
	p.answered(echo)
	must(t, web1.Boot(within(t, time.Minute)))
	p.held(virtual, web1)
	p.answered(page, web1)
	p.says(web1, "local", "rscstatus")
	p.says(web2, "local", "rscstatus")
	// The tutorial's readers lost the address for five seconds. Of the page's
	// time up to two seconds are apache's: its stop waits for connections to
	// clients that cannot reach it any more.
	p.missed("web1 back: no answer to a ping", echo, 500*time.Millisecond)
	p.missed("web1 back: no page", page, 5*time.Second)

	// The other answers of rscstatus.
	p.run(web1, "hb_standby", "all")
	p.says(web1, "none", "rscstatus")
	p.says(web2, "all", "rscstatus")
	p.run(web2, "hb_standby", "local")
	p.says(web2, "foreign", "rscstatus")
	p.neverTwo(virtual)
}

// missed ends a prober and compares what it missed with what it may.
func (p *pair) missed(what string, probe *lab.Probe, most time.Duration) {
	p.t.Helper()
	gap := p.stop(probe).Longest()
	p.t.Logf("%s for %v", what, gap)
	if gap.Length()-gap.Late > most {
		p.t.Errorf("%s for %v, want %v at most", what, gap, most)
	}
}

// readFiles are the files of a directory.
func readFiles(t *testing.T, dir string) lab.Files {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	files := lab.Files{}
	for _, e := range entries {
		content, err := os.ReadFile(filepath.Join(dir, e.Name()))
		must(t, err)
		files[e.Name()] = string(content)
	}
	return files
}
