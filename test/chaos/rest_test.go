package chaos

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/systole-ha/systole/test/lab"
)

var addresses = []netip.Addr{virtual, virtual.Next()}

// A usage is what a daemon has taken of its machine, by its own page of metrics.
type usage struct {
	resident   int // bytes
	goroutines int
	files      int
}

func (u usage) String() string {
	return fmt.Sprintf("%.1f MiB resident, %d goroutines, %d files", float64(u.resident)/(1<<20), u.goroutines, u.files)
}

// usage reads the page of a node.
func (m *mayhem) usage(node string) usage {
	m.t.Helper()
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return m.lab.Client().Dial(ctx, network, address)
		},
	}}
	response, err := client.Get(fmt.Sprintf("http://%s:9694/metrics", m.lab.Node(node).Host(lab.Service)))
	must(m.t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	must(m.t, err)
	value := func(name string) int {
		for line := range strings.Lines(string(text)) {
			if words := strings.Fields(line); len(words) == 2 && strings.SplitN(words[0], "{", 2)[0] == name {
				number, err := strconv.ParseFloat(words[1], 64)
				must(m.t, err)
				return int(number)
			}
		}
		m.t.Fatalf("%s: no %s", node, name)
		return 0
	}
	return usage{value("process_resident_memory_bytes"), value("go_goroutines"), value("process_open_fds")}
}

// quietest is the least that a node's daemon uses within some seconds: a scrape,
// and what it looks at every minute, take goroutines and files for a moment.
func (m *mayhem) quietest(node string) usage {
	m.t.Helper()
	least := m.usage(node)
	for range 20 {
		must(m.t, pass(m.t.Context(), 250*time.Millisecond))
		u := m.usage(node)
		least.resident = min(least.resident, u.resident)
		least.goroutines, least.files = min(least.goroutines, u.goroutines), min(least.files, u.files)
	}
	return least
}

// A rest is what there is of a node when nothing happens.
type rest struct {
	usage
	addresses, units, rules []string
}

func (m *mayhem) rest(n *lab.Node) rest {
	m.t.Helper()
	list := func(words ...string) []string {
		out, err := n.Run(soon(m.t), words[0], words[1:]...)
		must(m.t, err)
		var names []string
		for line := range strings.Lines(out) {
			if fields := strings.Fields(line); len(fields) > 0 {
				names = append(names, strings.Join(fields[:min(len(fields), 3)], " "))
			}
		}
		slices.Sort(names)
		return names
	}
	all, err := n.Addresses()
	must(m.t, err)
	r := rest{usage: m.quietest(n.Name()), rules: list("nft", "list", "tables")}
	for _, a := range all {
		r.addresses = append(r.addresses, a.Device+" "+a.Prefix.String())
	}
	slices.Sort(r.addresses)
	// Name and state of services and mounts; what a timer of systemd's own runs
	// now and then is none of ours, and of the disk that is full systemd
	// remembers the mount for a while.
	const forgotten = "var-lib-systole.mount loaded inactive"
	for _, unit := range list("systemctl", "list-units", "--all", "--plain", "--no-legend", "--type=service,mount,scope,socket") {
		if !strings.HasPrefix(unit, "systemd-") && !strings.HasPrefix(unit, "user") && unit != forgotten {
			r.units = append(r.units, unit)
		}
	}
	return r
}

// expectSame compares a cluster at rest before and after.
func (m *mayhem) expectSame(before, after map[string]rest) {
	m.t.Helper()
	for _, n := range m.nodes() {
		b, a := before[n.Name()], after[n.Name()]
		m.t.Logf("%s: before %s; after %s", n, b.usage, a.usage)
		for _, list := range []struct {
			what          string
			before, after []string
		}{{"addresses", b.addresses, a.addresses}, {"units", b.units, a.units}, {"tables of nftables", b.rules, a.rules}} {
			for _, name := range list.after {
				if !slices.Contains(list.before, name) {
					m.t.Errorf("%s: left over of %s: %s", n, list.what, name)
				}
			}
			for _, name := range list.before {
				if !slices.Contains(list.after, name) {
					m.t.Errorf("%s: gone of %s: %s", n, list.what, name)
				}
			}
		}
		if a.goroutines > b.goroutines+2 || a.files > b.files+2 {
			m.t.Errorf("%s: grown from %s to %s", n, b.usage, a.usage)
		}
	}
}

// expectFlat compares the middle third of a run with the last one.
func (m *mayhem) expectFlat(usages []usage) {
	m.t.Helper()
	third := len(usages) / 3
	if third == 0 {
		m.t.Logf("%d samples of memory are too few", len(usages))
		return
	}
	resident := func(part []usage) int {
		var all []int
		for _, u := range part {
			all = append(all, u.resident)
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	middle, last := resident(usages[third:2*third]), resident(usages[2*third:])
	m.t.Logf("resident memory of beta: %.1f MiB in the middle third, %.1f MiB in the last one", float64(middle)/(1<<20), float64(last)/(1<<20))
	const allowed = 3 << 20
	if last > middle+allowed {
		m.t.Errorf("resident memory grows: %d bytes in the middle third of the run, %d in the last", middle, last)
	}
}
