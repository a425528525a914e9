package alerts

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

type labels map[string]string

// alertmanager runs the real one with a configuration file.
func alertmanager(t *testing.T, config string) (url string) {
	t.Helper()
	return serve(t, "prometheus-alertmanager", "--config.file="+config, "--storage.path="+t.TempDir(),
		"--web.listen-address=127.0.0.1:0", "--cluster.listen-address=")
}

// post tells Alertmanager of alerts as Prometheus does, by its v2 API.
func post(t *testing.T, url string, alerts ...labels) {
	t.Helper()
	type alert struct {
		Labels labels `json:"labels"`
	}
	var all []alert
	for _, l := range alerts {
		all = append(all, alert{l})
	}
	body, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.Post(url+"/api/v2/alerts", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("post %s: %s", body, response.Status)
	}
}

// The alerts of the rows below, as the rules label them. The rows put their own
// cluster in.
func nodeDead(node string) labels {
	return labels{"alertname": "SystoleNodeDead", "severity": "critical", "cluster": "web", "node": node, "peer": node}
}
func targetDown(node string) labels {
	return labels{"alertname": "SystoleTargetDown", "severity": "warning", "cluster": "web", "node": node, "instance": node + ":9694", "job": "systole"}
}
func about(alert, node, peer string) labels {
	return labels{"alertname": alert, "severity": "warning", "cluster": "web", "node": node, "peer": peer}
}
func ofCluster(alert, severity string) labels {
	return labels{"alertname": alert, "severity": severity, "cluster": "web"}
}
func without(l labels, names ...string) labels {
	l = maps.Clone(l)
	for _, name := range names {
		delete(l, name)
	}
	return l
}
func in(cluster string, l labels) labels {
	l = maps.Clone(l)
	l["cluster"] = cluster
	return l
}

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

// An inbox is a receiver of notifications.
type inbox struct {
	*httptest.Server
	mutex    sync.Mutex
	messages []notification
}

type notification struct {
	Status string `json:"status"`
	Alerts []struct {
		Labels labels `json:"labels"`
	} `json:"alerts"`
}

func newInbox(t *testing.T) *inbox {
	b := &inbox{}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var n notification
		if err := json.NewDecoder(r.Body).Decode(&n); err != nil {
			t.Errorf("notification: %v", err)
		}
		b.mutex.Lock()
		defer b.mutex.Unlock()
		b.messages = append(b.messages, n)
	}))
	t.Cleanup(b.Close)
	return b
}

// names are the alerts of each message, as name/cluster.
func (b *inbox) names() (all [][]string) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	for _, m := range b.messages {
		var names []string
		for _, a := range m.Alerts {
			names = append(names, a.Labels["alertname"]+"/"+a.Labels["cluster"])
		}
		slices.Sort(names)
		all = append(all, names)
	}
	return all
}

// TestANodesDeathIsOnePage runs the shipped routes with shorter waits (1 s for
// 10 s, 3 s for 30 s). The ticket of another cluster comes last, and shows that
// none of the dead node's did.
func TestANodesDeathIsOnePage(t *testing.T) {
	text, err := os.ReadFile(alertmanagerFile)
	if err != nil {
		t.Fatal(err)
	}
	inboxes := map[string]*inbox{}
	config := strings.NewReplacer("group_wait: 10s", "group_wait: 1s", "group_wait: 30s", "group_wait: 3s").Replace(string(text))
	for _, receiver := range receivers {
		inboxes[receiver] = newInbox(t)
		config = strings.ReplaceAll(config, "http://"+receiver+".example.org/", inboxes[receiver].URL)
	}
	file := filepath.Join(t.TempDir(), "alertmanager.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	url := alertmanager(t, file)
	began := time.Now()
	post(t, url, nodeDead("alpha"))
	post(t, url, nodeDead("alpha"), targetDown("alpha"), about("SystoleConfigDrift", "beta", "alpha"),
		labels{"alertname": "SystoleTakeoverFailed", "severity": "critical", "cluster": "web", "node": "beta"},
		labels{"alertname": "SystoleTakeoverHappened", "severity": "info", "cluster": "web", "node": "beta"},
		labels{"alertname": deadMansSwitch, "severity": "none"},
		in("shop", targetDown("gamma")))
	want := map[string][][]string{
		"pager":   {{"SystoleNodeDead/web", "SystoleTakeoverFailed/web"}},
		"tickets": {{"SystoleTargetDown/shop"}},
		"notices": {{"SystoleTakeoverHappened/web"}},
		"watcher": {{deadMansSwitch + "/"}},
	}
	eventually(t, "notifications", func() error {
		for receiver, messages := range want {
			if got := len(inboxes[receiver].names()); got < len(messages) {
				return fmt.Errorf("%s got %d, waits for %d", receiver, got, len(messages))
			}
		}
		return nil
	})
	t.Logf("all told after %v", time.Since(began).Round(10*time.Millisecond))
	for receiver, messages := range want {
		if got := inboxes[receiver].names(); !slices.EqualFunc(got, messages, slices.Equal) {
			t.Errorf("%s:\n got %v\nwant %v", receiver, got, messages)
		}
	}
}
