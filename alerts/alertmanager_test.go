package alerts

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"testing"
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

// nodeDead and the others are alerts as the rules label them.
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
