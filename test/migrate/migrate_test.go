// Package migrate does on real nodes what the pages on migrating tell an
// operator to do: every block of commands, in order, with what is to be seen.
package migrate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/systole-ha/systole/test/lab"
)

// The addresses of the clusters in the pages: of a group with nginx behind it,
// and of one with nothing.
var (
	web   = netip.MustParseAddr("192.0.2.50")
	plain = netip.MustParseAddr("192.0.2.60")
)

// patience is what a look is repeated for at the most: initdead, and a start of
// Heartbeat, on a very busy machine.
const patience = 2 * time.Minute

var must = lab.Must

// A move is two nodes, a watch of their addresses, and a client that asks for
// both.
type move struct {
	t      *testing.T
	lab    *lab.Lab
	watch  *lab.Watch
	probes map[netip.Addr]*lab.Probe
	begun  time.Time // when systole was first started; the zero time: not yet
	ended  time.Time // when it was last stopped
	looked time.Time // when the first look was over
}

// newMove boots two nodes with these files, and systole beside, as the pages
// install it: below /usr/local, so that Heartbeat's commands stay.
func newMove(t *testing.T, dir string, files map[string]lab.Files) *move {
	t.Helper()
	l := lab.New(t)
	watch, err := l.Watch()
	must(t, err)
	installed := t.TempDir()
	out, err := exec.Command("make", "--silent", "--no-print-directory", "-C", filepath.Join("..", ".."), "install", "PREFIX=/usr/local", "DESTDIR="+installed).CombinedOutput()
	if err != nil {
		t.Fatalf("make install: %v\n%s", err, out)
	}
	for _, n := range l.Nodes() {
		must(t, n.Install(installed, ""))
		must(t, n.Configure(dir, files[n.Name()]))
		must(t, lab.Nginx(n))
	}
	m := &move{t: t, lab: l, watch: watch, probes: map[netip.Addr]*lab.Probe{}}
	for address, url := range map[netip.Addr]string{web: "http://192.0.2.50/", plain: "icmp://192.0.2.60"} {
		m.probes[address], err = l.Probe(lab.Question{URL: url})
		must(t, err)
	}
	return m
}

// run does what a page says.
func (m *move) run(page string) {
	m.t.Helper()
	steps, err := script(filepath.Join("..", "..", "docs", page), []string{"alpha", "beta"})
	must(m.t, err)
	if len(steps) < 10 {
		m.t.Fatalf("%s has %d blocks of commands: is it the right page?", page, len(steps))
	}
	title := ""
	began := time.Now()
	for _, s := range steps {
		if title != s.title {
			m.tell(title, began)
			if m.looked.IsZero() && title != "" {
				m.looked = time.Now()
			}
			title, began = s.title, time.Now()
		}
		m.step(page, s)
	}
	m.tell(title, began)
	m.tellGaps()
}

// step runs a block, on both nodes at once where it says both.
func (m *move) step(page string, s step) {
	m.t.Helper()
	if strings.Contains(s.commands, "systemctl start systole") && m.begun.IsZero() {
		m.begun = time.Now()
	}
	ctx, cancel := context.WithTimeout(m.t.Context(), patience)
	defer cancel()
	errs := make([]error, len(s.where))
	var nodes sync.WaitGroup
	for i, node := range s.where {
		nodes.Go(func() {
			if errs[i] = m.stepOn(ctx, s, m.lab.Node(node)); errs[i] != nil {
				errs[i] = fmt.Errorf("%s:%d on %s, %s: %w", page, s.line, node, s.title, errs[i])
			}
		})
	}
	nodes.Wait()
	must(m.t, errors.Join(errs...))
	if strings.Contains(s.commands, "systemctl stop systole") {
		m.ended = time.Now()
	}
}

// stepOn runs a block on a node.
func (m *move) stepOn(ctx context.Context, s step, n *lab.Node) error {
	if s.look {
		return lab.WaitFor(ctx, "what the page says", func(ctx context.Context) error {
			// A 3.0.6 node that starts does not answer before it takes part; that
			// a node is dead is an answer with an exit code of its own.
			out, _ := n.Run(ctx, "timeout", "5", "sh", "-c", s.commands)
			return s.differs(out)
		})
	}
	out, err := m.do(ctx, n, s.commands)
	if err != nil || s.sights == nil {
		return err
	}
	return s.differs(out)
}

// do runs the commands of a block. What scp would do is done by the lab, in
// which there is nobody to answer it.
func (m *move) do(ctx context.Context, n *lab.Node, commands string) (string, error) {
	before, rest, found := strings.Cut("\n"+commands, "\nscp -p ")
	out, err := n.Run(ctx, "sh", "-ec", before)
	if err != nil || !found {
		return out, err
	}
	files, after, _ := strings.Cut(rest, "\n")
	if err := m.copy(ctx, n, strings.Fields(files)); err != nil {
		return out, err
	}
	more, err := m.do(ctx, n, after)
	return out + more, err
}

// copy copies files, the last of which is where to, as scp names them: a node
// and a colon before a file of another node.
func (m *move) copy(ctx context.Context, n *lab.Node, files []string) error {
	place := func(file string) (*lab.Node, string) {
		if node, path, remote := strings.Cut(file, ":"); remote {
			return m.lab.Node(node), path
		}
		return n, file
	}
	to, dest := place(files[len(files)-1])
	for _, file := range files[:len(files)-1] {
		from, path := place(file)
		text, err := from.ReadFile(path)
		if err != nil {
			return err
		}
		mode, err := from.Run(ctx, "stat", "--format=%a", path)
		if err != nil {
			return err
		}
		bits, err := strconv.ParseUint(strings.TrimSpace(mode), 8, 32)
		if err != nil {
			return err
		}
		name := dest
		if strings.HasSuffix(dest, "/") {
			name += filepath.Base(path)
		}
		if err := to.WriteFile(name, text, fs.FileMode(bits)); err != nil {
			return err
		}
	}
	return nil
}

// tell logs what the client noticed of a step.
func (m *move) tell(title string, began time.Time) {
	if title == "" {
		return
	}
	var gaps []string
	for _, address := range []netip.Addr{web, plain} {
		r, err := m.probes[address].Result()
		must(m.t, err)
		var longest time.Duration
		for _, g := range r.Gaps(5 * time.Millisecond) {
			if g.From.After(began) {
				longest = max(longest, g.Length())
			}
		}
		gaps = append(gaps, fmt.Sprintf("%s %6.0f ms", address, float64(longest)/float64(time.Millisecond)))
	}
	m.t.Logf("%-50s %5.1f s; longest gap %s", title, time.Since(began).Seconds(), strings.Join(gaps, ", "))
}

// tellGaps logs who answered before and after the times without an answer.
func (m *move) tellGaps() {
	for _, address := range []netip.Addr{web, plain} {
		r, err := m.probes[address].Result()
		must(m.t, err)
		for _, g := range r.Gaps(100 * time.Millisecond) {
			if g.From.After(m.looked) {
				m.t.Logf("%s at %6.1f s: %6.0f ms from %q to %q", address, g.From.Sub(m.looked).Seconds(), float64(g.Length())/float64(time.Millisecond), g.Before, g.After)
			}
		}
	}
}

// neverTwo fails the test if two nodes held an address at once while systole had
// a part in it: what keepalived does by itself is its own.
func (m *move) neverTwo() {
	m.t.Helper()
	if m.begun.IsZero() || m.ended.IsZero() {
		m.t.Fatal("the page neither starts nor stops systole")
	}
	h, err := m.watch.History()
	must(m.t, err)
	for _, address := range []netip.Addr{web, plain} {
		for _, both := range h.Overlaps(address) {
			if both.Length() > lab.Resolution && both.To.After(m.begun) && both.From.Before(m.ended) {
				m.t.Errorf("two nodes held %s for %v in\n%s", address, both.Length(), h)
			}
		}
	}
}

// TestHeartbeat replaces Heartbeat by systole, one node after the other, and
// goes back.
func TestHeartbeat(t *testing.T) {
	files := lab.Files{
		"ha.cf":       "logfacility daemon\nkeepalive 200ms\ndeadtime 2\ninitdead 10\nbcast eth0 eth1\nnode alpha beta\nauto_failback on\n",
		"haresources": "alpha IPaddr::192.0.2.50/24/eth0 nginx\nbeta IPaddr::192.0.2.60/24/eth0\n",
		"authkeys":    "auth 1\n1 sha1 not-a-secret\n",
	}
	m := newMove(t, "/etc/ha.d", map[string]lab.Files{"alpha": files, "beta": files})
	for _, n := range m.lab.Nodes() {
		_, err := n.Run(t.Context(), "systemctl", "enable", "--now", "heartbeat")
		must(t, err)
	}
	m.run("migrate-from-heartbeat.md")
	m.neverTwo()
}

// TestKeepalived replaces keepalived by systole, and goes back.
func TestKeepalived(t *testing.T) {
	conf := func(web, plain string) lab.Files {
		const router = "vrrp_instance %s {\n\tstate %s\n\tinterface eth0\n\tvirtual_router_id %d\n\tpriority %s\n\tadvert_int 1\n\tvirtual_ipaddress {\n\t\t%s/24\n\t}\n}\n"
		state := map[string]string{"150": "MASTER", "100": "BACKUP"}
		return lab.Files{"keepalived.conf": "global_defs {\n\trouter_id ha\n}\n" +
			fmt.Sprintf(router, "WEB", state[web], 50, web, "192.0.2.50") + fmt.Sprintf(router, "PLAIN", state[plain], 60, plain, "192.0.2.60")}
	}
	m := newMove(t, "/etc/keepalived", map[string]lab.Files{"alpha": conf("150", "100"), "beta": conf("100", "150")})
	for _, n := range m.lab.Nodes() {
		_, err := n.Run(t.Context(), "systemctl", "enable", "--now", "nginx", "keepalived")
		must(t, err)
	}
	m.run("migrate-from-keepalived.md")
	m.neverTwo()
}
