package failover

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
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

	w := web{p}
	w.sight(web1, "local", "rscstatus")
	w.sight(web2, "local", "rscstatus") // as heartbeat: all of its own, which is none
	w.sight(web1, "active", "nodestatus", "web2")

	// The second server off.
	off := p.powerOff(web2)
	w.sight(web1, "dead", "nodestatus", "web2")
	t.Logf("web1 calls web2 dead %v after its power-off", round(time.Since(off)))
	w.sight(web1, "all", "rscstatus")
	must(t, web2.Boot(within(t, time.Minute)))
	w.sight(web1, "active", "nodestatus", "web2")
	w.sight(web1, "local", "rscstatus")
	w.sight(web2, "local", "rscstatus")

	// The first server off: its address and its service are on the second.
	page, echo := p.probe("http://192.0.2.243/"), p.probe("icmp://192.0.2.243")
	p.answered(page, web1)
	p.answered(echo)
	p.powerOff(web1)
	p.answered(page, web2)
	p.answered(echo)
	w.sight(web2, "dead", "nodestatus", "web1")
	w.sight(web2, "all", "rscstatus")
	w.missed("web1 off: no answer to a ping", echo, deadtime+keepalive)
	w.missed("web1 off: no page", page, deadtime+keepalive)

	// The first server back, and with it the address.
	page, echo = p.probe("http://192.0.2.243/"), p.probe("icmp://192.0.2.243")
	p.answered(page, web2)
	p.answered(echo)
	must(t, web1.Boot(within(t, time.Minute)))
	p.held(virtual, web1)
	p.answered(page, web1)
	w.sight(web1, "local", "rscstatus")
	w.sight(web2, "local", "rscstatus")
	// The tutorial's readers lost the address for five seconds. Of the page's
	// time up to two seconds are apache's: its stop waits for connections to
	// clients that cannot reach it any more.
	w.missed("web1 back: no answer to a ping", echo, 500*time.Millisecond)
	w.missed("web1 back: no page", page, 5*time.Second)

	// The other answers of rscstatus.
	p.run(web1, "hb_standby", "all")
	w.sight(web1, "none", "rscstatus")
	w.sight(web2, "all", "rscstatus")
	p.run(web2, "hb_standby", "local")
	w.sight(web2, "foreign", "rscstatus")
	p.neverTwo(virtual)
}

// A web is the tutorial's reader.
type web struct{ *pair }

// sight waits until cl_status on a node answers so.
func (w web) sight(n *lab.Node, want string, args ...string) {
	w.t.Helper()
	what := fmt.Sprintf("cl_status %s on %s to answer %s", strings.Join(args, " "), n, want)
	must(w.t, lab.WaitFor(soon(w.t), what, func(ctx context.Context) error {
		out, _ := n.Run(ctx, "cl_status", args...) // dead is an answer with exit code 1
		if strings.TrimSpace(out) != want {
			return fmt.Errorf("it answers %q", out)
		}
		return nil
	}))
}

// missed ends a prober and compares what it missed with what it may.
func (w web) missed(what string, probe *lab.Probe, most time.Duration) {
	w.t.Helper()
	gap := w.stop(probe).Longest()
	w.t.Logf("%s for %v", what, gap)
	if gap.Length()-gap.Late > most {
		w.t.Errorf("%s for %v, want %v at most", what, gap, most)
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
