package alerts

import (
	"errors"
	"fmt"
	"maps"
	"testing"
)

var inhibitions = []struct {
	name          string
	cause, effect labels
	silenced      bool
}{
	{"the target of a dead node", nodeDead("alpha"), targetDown("alpha"), true},
	{"the target of the survivor", nodeDead("alpha"), targetDown("beta"), false},
	{"a target of the same name in another cluster", nodeDead("alpha"), in("shop", targetDown("alpha")), false},
	{"the configuration of a dead peer", nodeDead("alpha"), about("SystoleConfigDrift", "beta", "alpha"), true},
	{"links to a dead peer", nodeDead("alpha"), about("SystoleRedundancyLost", "beta", "alpha"), true},
	{"links to a peer that lives", nodeDead("alpha"), about("SystoleRedundancyLost", "beta", "gamma"), false},
	{"the margin to a dead peer", nodeDead("alpha"), about("SystoleDeadtimeMarginLow", "beta", "alpha"), true},
	{"the clock of a dead peer", nodeDead("alpha"), about("SystoleClockSkew", "beta", "alpha"), true},
	{"the configuration of a peer of that name in another cluster", nodeDead("alpha"), in("shop", about("SystoleConfigDrift", "beta", "alpha")), false},
	{"a dead node's services that nobody runs", nodeDead("alpha"), ofCluster("SystoleServiceUnowned", "critical"), false},
	{"the takeover from a dead node", nodeDead("alpha"), about("SystoleTakeoverHappened", "beta", ""), false},
	{"double active groups in a split brain", ofCluster("SystoleSplitBrain", "critical"), ofCluster("SystoleDoubleActive", "critical"), true},
	{"a duplicate address in a split brain", ofCluster("SystoleSplitBrain", "critical"), ofCluster("SystoleDuplicateAddress", "critical"), true},
	{"double active groups of another cluster", ofCluster("SystoleSplitBrain", "critical"), in("shop", ofCluster("SystoleDoubleActive", "critical")), false},
	{"a death in a split brain", ofCluster("SystoleSplitBrain", "critical"), nodeDead("alpha"), false},
	{"a target of a cluster out of reach", ofCluster("SystoleClusterUnreachable", "critical"), targetDown("alpha"), true},
	{"services of a cluster out of reach", ofCluster("SystoleClusterUnreachable", "critical"), ofCluster("SystoleServiceUnowned", "critical"), true},
	{"a death in a cluster out of reach", ofCluster("SystoleClusterUnreachable", "critical"), nodeDead("alpha"), false},
	{"takeovers while a cluster flaps", ofCluster("SystoleFlapping", "critical"), ofCluster("SystoleTakeoverHappened", "info"), true},
	{"slow takeovers while a cluster flaps", ofCluster("SystoleFlapping", "critical"), ofCluster("SystoleTakeoverSlow", "warning"), true},
	{"failed takeovers while a cluster flaps", ofCluster("SystoleFlapping", "critical"), ofCluster("SystoleTakeoverFailed", "critical"), false},
	{"the cause, by its effect", targetDown("alpha"), nodeDead("alpha"), false},
	// What is missing on both sides is equal to Alertmanager.
	{"without clusters, the target of a dead node", without(nodeDead("alpha"), "cluster"), without(targetDown("alpha"), "cluster"), false},
	{"without nodes, any target", without(nodeDead("alpha"), "node"), without(targetDown("beta"), "node"), false},
	{"without peers, any link", without(nodeDead("alpha"), "peer"), without(about("SystoleRedundancyLost", "beta", ""), "peer"), false},
	{"without clusters, any double active group", without(ofCluster("SystoleSplitBrain", "critical"), "cluster"), without(ofCluster("SystoleDoubleActive", "critical"), "cluster"), false},
	{"without clusters, any target out of reach", without(ofCluster("SystoleClusterUnreachable", "critical"), "cluster"), without(targetDown("beta"), "cluster"), false},
	{"without clusters, any takeover", without(ofCluster("SystoleFlapping", "critical"), "cluster"), without(ofCluster("SystoleTakeoverHappened", "info"), "cluster"), false},
}

// TestInhibition posts the cause and the effect of every row to a running
// Alertmanager, each row in clusters of its own, and reads what is silenced.
func TestInhibition(t *testing.T) {
	url := alertmanager(t, alertmanagerFile)
	row := func(i int, part string, l labels) labels {
		l = maps.Clone(l)
		if l["cluster"] != "" {
			l["cluster"] = fmt.Sprintf("%s-%d", l["cluster"], i)
		}
		l["row"] = fmt.Sprintf("%d %s", i, part)
		return l
	}
	var all []labels
	for i, tt := range inhibitions {
		all = append(all, row(i, "effect", tt.effect))
	}
	for i, tt := range inhibitions {
		all = append(all, row(i, "cause", tt.cause))
	}
	post(t, url, all...)
	var silenced map[string]bool
	eventually(t, "all that should be is silenced", func() (err error) {
		if silenced, err = inhibited(url); err != nil {
			return err
		}
		for i, tt := range inhibitions {
			if tt.silenced && !silenced[fmt.Sprintf("%d effect", i)] {
				return errors.New(tt.name + " is not")
			}
		}
		return nil
	})
	for i, tt := range inhibitions {
		if !tt.silenced && silenced[fmt.Sprintf("%d effect", i)] {
			t.Errorf("%s: silenced by %v", tt.name, tt.cause)
		}
		if tt.silenced && silenced[fmt.Sprintf("%d cause", i)] {
			t.Errorf("%s: the cause itself is silenced", tt.name)
		}
	}
}

// inhibited tells by the label row which alerts are silenced by others.
func inhibited(url string) (map[string]bool, error) {
	var all []struct {
		Labels labels `json:"labels"`
		Status struct {
			InhibitedBy []string `json:"inhibitedBy"`
		} `json:"status"`
	}
	err := get(url+"/api/v2/alerts", &all)
	by := map[string]bool{}
	for _, a := range all {
		by[a.Labels["row"]] = len(a.Status.InhibitedBy) > 0
	}
	return by, err
}
