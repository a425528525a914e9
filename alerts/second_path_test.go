package alerts

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/event"
	second "github.com/systole-ha/systole/exporters/alertmanager"
)

// secondPath is a node that tells an Alertmanager by itself.
func secondPath(t *testing.T, url, node string) *second.Alertmanager {
	a := second.New(second.Config{
		Cluster: "web", Node: node, Targets: []second.Target{{URL: url}}, Repeat: 3 * time.Second,
		Report: func(dropped uint64, err error) {
			if t.Context().Err() == nil {
				t.Errorf("%s: %d dropped, %v", node, dropped, err)
			}
		},
	})
	t.Cleanup(func() { a.Close(t.Context()) })
	return a
}

// held are the descriptions of the alerts of a name that an Alertmanager has.
func held(url, name string) ([]string, error) {
	var answer []struct {
		Labels      labels `json:"labels"`
		Annotations labels `json:"annotations"`
	}
	err := get(url+"/api/v2/alerts", &answer)
	var told []string
	for _, a := range answer {
		if a.Labels["alertname"] == name {
			told = append(told, a.Annotations["description"])
		}
	}
	return told, err
}

// TestTheSecondPathIsTheSameAlert lets a node die that a real Prometheus watches
// and whose survivor tells the Alertmanager itself. Either's words are seen at
// the one alert, again and again, and there is one page. That of another cluster
// comes three seconds later, and shows that none did meanwhile.
func TestTheSecondPathIsTheSameAlert(t *testing.T) {
	url, inboxes := shipped(t, "group_wait: 10s", "group_wait: 3s", "group_interval: 1m", "group_interval: 1s")
	alpha, beta := newDaemon(t, "alpha", "beta"), newDaemon(t, "beta", "alpha")
	beta.other = secondPath(t, url, "beta")
	alpha.join(web)
	beta.join(mail)
	api := prometheusTo(t, []string{strings.TrimPrefix(url, "http://")}, alpha, beta, "--rules.alert.resend-delay=1s")
	eventually(t, "every rule is evaluated", func() error { return healthy(api) })
	alpha.CloseClientConnections()
	alpha.Close()
	beta.bury(web)
	for _, words := range []string{"peer alpha is dead: silent for 2s", "beta heard nothing of alpha on any link", "peer alpha is dead: silent for 2s"} {
		eventually(t, words, func() error {
			told, err := held(url, "SystoleNodeDead")
			if err == nil && (len(told) != 1 || !strings.Contains(told[0], words)) {
				err = fmt.Errorf("the alerts are %q", told)
			}
			return err
		})
	}
	pager := inboxes["pager"]
	eventually(t, "a page", func() error {
		if len(pager.names()) == 0 {
			return fmt.Errorf("none yet")
		}
		return nil
	})
	post(t, url, in("shop", nodeDead("gamma")))
	eventually(t, "the other cluster's page", func() error {
		if got := pager.names(); !slices.Equal(got[len(got)-1], []string{"SystoleNodeDead/shop"}) {
			return fmt.Errorf("the pages are %v", got)
		}
		return nil
	})
	if got := pager.names(); len(got) != 2 || !slices.Equal(got[0], []string{"SystoleNodeDead/web"}) {
		t.Errorf("the pages are %v, want one for the node", got)
	}
}

// TestTheSecondPathAlone has no Prometheus: both nodes see a split brain, and
// see it end.
func TestTheSecondPathAlone(t *testing.T) {
	url, inboxes := shipped(t, "group_wait: 10s", "group_wait: 1s", "group_interval: 1m", "group_interval: 1s")
	alpha, beta := secondPath(t, url, "alpha"), secondPath(t, url, "beta")
	both := func(e event.Event) {
		alpha.Record(event.Record{Time: time.Now(), Node: "alpha", Event: e})
		beta.Record(event.Record{Time: time.Now(), Node: "beta", Event: e})
	}
	pager := inboxes["pager"]
	becomes := func(want ...string) {
		t.Helper()
		eventually(t, strings.Join(want, ", then "), func() error {
			if got := pager.statuses(); !slices.Equal(got, want) {
				return fmt.Errorf("the pages are %v", got)
			}
			return nil
		})
	}
	both(event.SplitBrainSuspected{})
	becomes("firing")
	both(event.SplitBrainCleared{})
	becomes("firing", "resolved")
	for _, names := range pager.names() {
		if !slices.Equal(names, []string{"SystoleSplitBrain/web"}) {
			t.Errorf("the pages are %v", pager.names())
		}
	}
}
