package failover

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/systole-ha/systole/test/lab"
)

// helperEnv makes the test's program a helper, which the lab runs in a network
// namespace of its own.
const helperEnv = "SYSTOLE_FAILOVER_HELPER"

var helpers = map[string]func(args []string) error{"fetch": fetch, "flood": flood, "claim": claim}

// beHelper runs as a helper, if this process is one, and does not return.
func beHelper() {
	help := helpers[os.Getenv(helperEnv)]
	if help == nil {
		return
	}
	if err := help(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// asClient runs a helper in the client's network and gives what it printed.
func (p *pair) asClient(helper string, args ...string) string {
	p.t.Helper()
	program, err := os.Executable()
	must(p.t, err)
	out, err := p.lab.Client().Run(within(p.t, time.Minute), "env", append([]string{helperEnv + "=" + helper, program}, args...)...)
	must(p.t, err)
	return out
}

// fetch prints a page.
func fetch(args []string) error {
	client := http.Client{Timeout: 5 * time.Second}
	response, err := client.Get(args[0])
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return errors.New(response.Status)
	}
	_, err = io.Copy(os.Stdout, response.Body)
	return err
}

// metricsPage is what a node's daemon shows Prometheus.
func (p *pair) metricsPage(n *lab.Node) string {
	p.t.Helper()
	return p.asClient("fetch", fmt.Sprintf("http://%s:9694/metrics", n.Host(lab.Service)))
}

// metrics are the samples of that page, without the labels that all have. The
// others are in order.
func (p *pair) metrics(n *lab.Node) map[string]float64 {
	p.t.Helper()
	page := p.metricsPage(n)
	samples := map[string]float64{}
	for lines := bufio.NewScanner(strings.NewReader(page)); lines.Scan(); {
		line := lines.Text()
		space := strings.LastIndexByte(line, ' ')
		if strings.HasPrefix(line, "#") || space < 0 {
			continue
		}
		value, err := strconv.ParseFloat(line[space+1:], 64)
		must(p.t, err)
		samples[withoutCommon(line[:space])] = value
	}
	return samples
}

// withoutCommon drops the labels cluster and node, by which one node's samples
// do not differ.
func withoutCommon(series string) string {
	name, labels, found := strings.Cut(strings.TrimSuffix(series, "}"), "{")
	if !found {
		return series
	}
	var kept []string
	for label := range strings.SplitSeq(labels, `",`) {
		label = strings.TrimSuffix(label, `"`) + `"`
		if !strings.HasPrefix(label, "cluster=") && !strings.HasPrefix(label, "node=") {
			kept = append(kept, label)
		}
	}
	if kept == nil {
		return name
	}
	return name + "{" + strings.Join(kept, ",") + "}"
}

func TestSeriesAreNamedWithoutCommonLabels(t *testing.T) {
	for series, want := range map[string]string{
		`up`: `up`,
		`systole_node{cluster="web",node="alpha"}`:                                         `systole_node`,
		`systole_link_up{cluster="web",link="eth0",node="alpha",peer="beta"}`:              `systole_link_up{link="eth0",peer="beta"}`,
		`systole_resource_active{group="a,b::c/24",node="alpha",resource="x",cluster="c"}`: `systole_resource_active{group="a,b::c/24",resource="x"}`,
	} {
		if got := withoutCommon(series); got != want {
			t.Errorf("%s:\n got %s\nwant %s", series, got, want)
		}
	}
}
