package metrics

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/systole-ha/systole/agent/event"
)

// bound is what is promised of a two-node cluster with 3 links and 8 resources,
// the runtime's families included.
const bound = 1500

// letters are what the table's series column counts.
var letters = []struct {
	letter, meaning string
	count           func(Config) int
}{
	{"P", "peers: 1 in a cluster of haresources", func(c Config) int { return len(c.Peers) }},
	{"L", "links of ha.cf", func(c Config) int { return len(c.Links) }},
	{"N", "ping nodes and ping groups", func(c Config) int { return len(c.PingNodes) }},
	{"G", "resource groups: lines of haresources", func(c Config) int { return len(c.Groups) }},
	{"R", "resources: words of those lines", func(c Config) int {
		n := 0
		for _, g := range c.Groups {
			n += len(g.Resources)
		}
		return n
	}},
	{"U", "systemd units of those", func(c Config) int { return len(c.Units) }},
	{"A", "addresses of those", func(c Config) int { return len(c.Addresses) }},
	{"D", "drivers in use", func(c Config) int {
		drivers := map[string]bool{}
		for _, g := range c.Groups {
			for _, r := range g.Resources {
				drivers[r.Driver] = true
			}
		}
		return len(drivers)
	}},
	{"F", "configuration files with a hash", func(c Config) int { return len(c.Files) }},
	{"K", "keys of authkeys", func(c Config) int { return len(c.Keys) }},
	{"S", "sinks with a queue", func(c Config) int { return len(c.Sinks) }},
	{"W", "webhooks", func(c Config) int { return len(c.Webhooks) }},
	{"V", "1 where a policy wants evidence before addresses are held, else 0", func(c Config) int { return int(oneIf(c.Permission)) }},
	{"Q", "arbiters", func(c Config) int { return len(c.Arbiters) }},
	{"C", "commands of the control socket, and one for others", func(c Config) int { return len(c.Commands) + 1 }},
	{"M", "ways the peer is fenced, and the operator; none where fencing is not configured", func(c Config) int { return len(c.Fencing) + min(1, len(c.Fencing)) }},
	{"E", "kinds of events with their severities, those of fencing where it is configured", eventCount},
}

// eventCount is the number of pairs of a kind and a severity it can have.
func eventCount(cfg Config) int {
	n := 0
	for _, entry := range event.Catalogue {
		if !cfg.happens(entry.Event.Kind()) {
			continue
		}
		n += len(event.Severities(entry.Event))
	}
	return n
}

// sets is how many label sets f can have at most under cfg.
func (f family) sets(cfg Config) (int, error) {
	product := 1
	for factor := range strings.SplitSeq(f.series, "·") {
		n, err := strconv.Atoi(factor)
		for _, l := range letters {
			if l.letter == factor {
				n, err = l.count(cfg), nil
			}
		}
		if err != nil {
			return 0, fmt.Errorf("%s: %w", f.name, err)
		}
		product *= n
	}
	return product, nil
}

// perSet is how many series one label set of f makes: a histogram's buckets,
// the one to infinity, sum and count.
func (f family) perSet() int {
	if f.kind == histogram {
		return len(f.bounds) + 3
	}
	return 1
}

// TestSeriesAreBounded holds each family to the bound that the table states,
// and the whole page to what is promised, however the resources are grouped.
func TestSeriesAreBounded(t *testing.T) {
	for name, cfg := range map[string]Config{"two groups": reference(), "eight groups": eightGroups()} {
		t.Run(name, func(t *testing.T) {
			m := open(t, cfg)
			story(m)
			shown := body(t, scrape(t, m.Handler(), acceptText))
			count := seriesOf(shown)
			for _, f := range families {
				sets, err := f.sets(cfg)
				if err != nil {
					t.Error(err)
				}
				if got := count[f.name]; got > sets*f.perSet() {
					t.Errorf("%s has %d series, at most %d were stated", f.name, got, sets*f.perSet())
				}
			}
			total := len(samples(shown))
			if total > bound {
				t.Errorf("%d series, at most %d are promised", total, bound)
			}
			t.Logf("%d series in %d bytes", total, len(shown))
		})
	}
}

// seriesOf counts a page's samples by family.
func seriesOf(page string) map[string]int {
	count := map[string]int{}
	for _, line := range samples(page) {
		name := line[:strings.IndexAny(line, "{ ")]
		for _, part := range []string{"_bucket", "_sum", "_count"} {
			name = strings.TrimSuffix(name, part)
		}
		count[name]++
	}
	return count
}

// eightGroups is the reference cluster with each resource in a group of its
// own, which makes the most series.
func eightGroups() Config {
	cfg := reference()
	cfg.IPFail, cfg.Watchdog = false, false // few have either: 8 series, and 22
	var groups []Group
	for _, g := range cfg.Groups {
		for _, r := range g.Resources {
			groups = append(groups, Group{Name: r.Name, Preferred: g.Preferred, Resources: []Resource{r}})
		}
	}
	cfg.Groups = groups
	return cfg
}
