package alerts

import (
	"encoding/json"
	"fmt"
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

// statuses are what each message says of its alerts: firing, resolved.
func (b *inbox) statuses() (all []string) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	for _, m := range b.messages {
		all = append(all, m.Status)
	}
	return all
}

// shipped runs an Alertmanager with the shipped routes, some of their words
// replaced, and an inbox for each receiver.
func shipped(t *testing.T, replaced ...string) (url string, inboxes map[string]*inbox) {
	t.Helper()
	text, err := os.ReadFile(alertmanagerFile)
	if err != nil {
		t.Fatal(err)
	}
	inboxes = map[string]*inbox{}
	config := strings.NewReplacer(replaced...).Replace(string(text))
	for _, receiver := range receivers {
		inboxes[receiver] = newInbox(t)
		config = strings.ReplaceAll(config, "http://"+receiver+".example.org/", inboxes[receiver].URL)
	}
	file := filepath.Join(t.TempDir(), "alertmanager.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return alertmanager(t, file), inboxes
}

// TestANodesDeathIsOnePage runs the shipped routes with shorter waits (1 s for
// 10 s, 3 s for 30 s). The ticket of another cluster comes last, and shows that
// none of the dead node's did.
func TestANodesDeathIsOnePage(t *testing.T) {
	url, inboxes := shipped(t, "group_wait: 10s", "group_wait: 1s", "group_wait: 30s", "group_wait: 3s")
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
