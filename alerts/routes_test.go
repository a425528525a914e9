package alerts

import (
	"maps"
	"slices"
	"testing"
)

const alertmanagerFile = "alertmanager.yml"

func TestAmtoolAcceptsTheFile(t *testing.T) {
	if out, err := try(t, "amtool", "check-config", alertmanagerFile); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// receivers are by severity.
var receivers = map[string]string{"critical": "pager", "warning": "tickets", "info": "notices", "none": "watcher"}

func TestEveryAlertIsRoutedByItsSeverity(t *testing.T) {
	for _, a := range alerts(t) {
		expectRoute(t, receivers[a.Labels["severity"]], map[string]string{
			"alertname": a.Alert, "severity": a.Labels["severity"], "cluster": "web",
		})
	}
}

func TestOthersAreRouted(t *testing.T) {
	for _, tt := range []struct {
		name, receiver string
		labels         map[string]string
	}{
		{
			name: "an alert of another program wakes nobody by these routes", receiver: "tickets",
			labels: map[string]string{"alertname": "DiskFull", "severity": "critical"},
		},
		{
			name: "an alert of ours without a severity is not lost", receiver: "tickets",
			labels: map[string]string{"alertname": "SystoleNewAlert"},
		},
		{
			name: "a page without a cluster is a page", receiver: "pager",
			labels: map[string]string{"alertname": "SystoleClusterUnreachable", "severity": "critical"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) { expectRoute(t, tt.receiver, tt.labels) })
	}
}

func expectRoute(t *testing.T, receiver string, labels map[string]string) {
	t.Helper()
	args := []string{"config", "routes", "test", "--config.file=" + alertmanagerFile, "--verify.receivers=" + receiver}
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		args = append(args, name+"="+labels[name])
	}
	if out, err := try(t, "amtool", args...); err != nil {
		t.Errorf("%v does not go to %s: %v\n%s", labels, receiver, err, out)
	}
}
