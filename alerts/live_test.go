package alerts

import (
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// prometheus runs the real one with the shipped example, its two targets
// replaced and everything done once a second. It tells nobody of its alerts.
func prometheus(t *testing.T, alpha, beta *daemon, flags ...string) (api string) {
	t.Helper()
	return prometheusTo(t, nil, alpha, beta, flags...)
}

// prometheusTo tells the Alertmanagers at these addresses.
func prometheusTo(t *testing.T, alertmanagers []string, alpha, beta *daemon, flags ...string) (api string) {
	t.Helper()
	dir := t.TempDir()
	var config map[string]any
	load(t, "prometheus.yml", &config)
	config["alerting"] = map[string]any{"alertmanagers": []any{map[string]any{"static_configs": []any{map[string]any{"targets": alertmanagers}}}}}
	config["global"] = map[string]any{"scrape_interval": "1s", "evaluation_interval": "1s"}
	job := config["scrape_configs"].([]any)[0].(map[string]any)
	job["scrape_interval"], job["scrape_timeout"] = "1s", "900ms"
	for i, d := range []*daemon{alpha, beta} {
		job["static_configs"].([]any)[i].(map[string]any)["targets"] = []string{d.Listener.Addr().String()}
	}
	var groups ruleGroups
	load(t, rulesFile, &groups)
	for i := range groups.Groups {
		groups.Groups[i].Interval = "1s"
	}
	for name, v := range map[string]any{"prometheus.yml": config, rulesFile: groups} {
		text, err := yaml.Marshal(v)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return serve(t, "prometheus", append(flags, "--config.file="+filepath.Join(dir, "prometheus.yml"),
		"--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address=127.0.0.1:0")...) + "/api/v1/"
}

// query answers with the labels of every series and its value.
func query(api, expr string) (map[string]string, error) {
	var answer struct {
		Data struct {
			ResultType string `json:"resultType"`
			Result     []struct {
				Metric labels `json:"metric"`
				Value  [2]any `json:"value"`
			} `json:"result"`
		} `json:"data"`
	}
	err := get(api+"query?query="+url.QueryEscape(expr), &answer)
	all := map[string]string{}
	for _, r := range answer.Data.Result {
		all[fmt.Sprint(r.Metric)] = fmt.Sprint(r.Value[1])
	}
	return all, err
}

// firing are the alerts that fire, by name.
func firing(api string) (map[string]labels, error) {
	var answer struct {
		Data struct {
			Alerts []struct {
				State       string `json:"state"`
				Labels      labels `json:"labels"`
				Annotations labels `json:"annotations"`
			} `json:"alerts"`
		} `json:"data"`
	}
	err := get(api+"alerts", &answer)
	all := map[string]labels{}
	for _, a := range answer.Data.Alerts {
		if a.State == "firing" {
			all[a.Labels["alertname"]] = a.Annotations
		}
	}
	return all, err
}

// healthy reports the first rule that has not been evaluated, or not without an
// error.
func healthy(api string) error {
	var answer struct {
		Data struct {
			Groups []struct {
				Rules []struct {
					Name      string `json:"name"`
					Health    string `json:"health"`
					LastError string `json:"lastError"`
				} `json:"rules"`
			} `json:"groups"`
		} `json:"data"`
	}
	if err := get(api+"rules", &answer); err != nil {
		return err
	}
	for _, g := range answer.Data.Groups {
		for _, r := range g.Rules {
			if r.Health != "ok" {
				return fmt.Errorf("%s: %s %s", r.Name, r.Health, r.LastError)
			}
		}
	}
	return nil
}

// TestLive asks a real Prometheus about the pages of the real exporter, with
// and without native histograms, which promtool cannot be given.
func TestLive(t *testing.T) {
	for _, tt := range []struct {
		name   string
		native bool
		flags  []string
	}{
		{name: "classic histograms"},
		{name: "native histograms", native: true, flags: []string{"--enable-feature=native-histograms"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			alpha, beta := newDaemon(t, "alpha", "beta"), newDaemon(t, "beta", "alpha")
			alpha.join(web)
			beta.join(mail)
			api := prometheus(t, alpha, beta, tt.flags...)
			eventually(t, "every rule is evaluated", func() error { return healthy(api) })
			expectRecords(t, api)
			expectSelectorsFind(t, api, tt.native)
			expectRunbookQueries(t, api)
			got, err := firing(api)
			if names := slices.Sorted(maps.Keys(got)); err != nil || !slices.Equal(names, []string{deadMansSwitch}) {
				t.Errorf("with both nodes healthy, these fire: %v, %v", names, err)
			}
			alpha.CloseClientConnections()
			alpha.Close()
			beta.bury(web)
			expectDeath(t, api)
		})
	}
}

// expectRecords waits for the histograms' two forms to be recorded alike.
func expectRecords(t *testing.T, api string) {
	t.Helper()
	for record, series := range map[string]int{
		"systole:heartbeat_interval_seconds:p99_5m": 4, "systole:heartbeat_rtt_seconds:p99_5m": 4,
		"systole:peer_deadtime_used_ratio:max_1h": 2,
	} {
		eventually(t, record, func() error {
			got, err := query(api, record)
			if err == nil && len(got) != series {
				err = fmt.Errorf("%d series, want %d: %v", len(got), series, got)
			}
			return err
		})
	}
	for _, expr := range []string{
		"systole:heartbeat_interval_seconds:p99_5m < 0.25 or systole:heartbeat_interval_seconds:p99_5m > 0.55",
		"systole:heartbeat_rtt_seconds:p99_5m < 0.0001 or systole:heartbeat_rtt_seconds:p99_5m > 0.00025",
		"systole:peer_deadtime_used_ratio:max_1h < 0.25 or systole:peer_deadtime_used_ratio:max_1h > 0.3",
		`{exported_cluster!=""}`, `{exported_node!=""}`,
	} {
		if got, err := query(api, expr); err != nil || len(got) > 0 {
			t.Errorf("%s: %v, %v, want none", expr, got, err)
		}
	}
}

// expectSelectorsFind holds every selector of the rules to the real pages: a
// misspelt value of a label finds nothing.
func expectSelectorsFind(t *testing.T, api string, native bool) {
	t.Helper()
	known := families(t)
	for _, r := range rules(t) {
		for _, q := range r.queries() {
			for _, s := range selectors(q) {
				f, ours := known.find(s.name)
				if ours && !f.exported || strings.HasPrefix(s.name, "systole:") {
					continue
				}
				got, err := query(api, s.String())
				want := !ours || f.kind != "histogram" || native == (s.name == f.name)
				if err != nil || (len(got) > 0) != want {
					t.Errorf("%s%s: %s finds %d series, %v; want some: %v", r.Alert, r.Record, s, len(got), err, want)
				}
			}
		}
	}
}

// String is the selector without its range, and without what templates fill in.
func (s selector) String() string {
	var all []string
	for _, m := range s.matchers {
		if m.value != "" {
			all = append(all, fmt.Sprintf("%s%s%q", m.label, m.op, m.value))
		}
	}
	return s.name + "{" + strings.Join(all, ",") + "}"
}

func expectDeath(t *testing.T, api string) {
	t.Helper()
	told := []string{"beta heard nothing of alpha on any link for 2s", web + " runs on beta", mail + " runs on beta", "silence took", "services took", "0123456789abcdef0000000fffffffff"}
	eventually(t, "the death is told", func() error {
		got, err := firing(api)
		for _, part := range told {
			if err == nil && !strings.Contains(got["SystoleNodeDead"]["description"], part) {
				err = fmt.Errorf("%q is not in %q", part, got["SystoleNodeDead"]["description"])
			}
		}
		if err == nil && got["SystoleTakeoverHappened"] == nil {
			err = fmt.Errorf("no SystoleTakeoverHappened: %v", got)
		}
		return err
	})
	pages, err := query(api, `count by (alertname) (max_over_time(ALERTS{alertstate="firing",severity="critical"}[1m]))`)
	if want := map[string]string{"map[alertname:SystoleNodeDead]": "1"}; err != nil || !maps.Equal(pages, want) {
		t.Errorf("pages:\n got %v, %v\nwant %v", pages, err, want)
	}
}
