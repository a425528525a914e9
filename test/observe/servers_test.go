package observe

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/systole-ha/systole/test/lab"
)

// shipped is where the rules, the routes and the example of a scrape are.
const shipped = "../../alerts"

// beside runs a server of Debian's in the client's network until the test
// ends, or with it if it is killed.
func (s *site) beside(program string, args ...string) {
	s.t.Helper()
	path, err := exec.LookPath(program)
	if err != nil { // no reason to skip: nobody else would show what is shown here
		s.t.Fatalf("%s is needed: make deps", program)
	}
	entry := s.lab.Client().Entry(path, args...)
	cmd := exec.Command(entry[0], entry[1:]...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started, ended := make(chan error), make(chan struct{})
	go func() {
		defer close(ended)
		runtime.LockOSThread() // Pdeathsig is sent when the thread ends that started the process
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // it is ended by a signal
		}
	}()
	must(s.t, <-started)
	s.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-ended
		if s.t.Failed() {
			s.t.Logf("%s said:\n%s", program, out.String())
		}
	})
}

// A prometheus is Debian's, in the client's network.
type prometheus struct {
	site *site
	api  string
}

// prometheus is one that has scraped both nodes.
func (s *site) prometheus(listen, alertmanager string) prometheus {
	s.t.Helper()
	p := s.scraper(listen, alertmanager)
	s.eventually("Prometheus has scraped both nodes", func() error {
		up, err := p.instant(`sum(up{job="systole"}) == 2`, time.Now())
		if err == nil && len(up) == 0 {
			err = errors.New("it has not")
		}
		return err
	})
	return p
}

// scraper scrapes both nodes every second with the shipped example, and judges
// by the shipped rules. It tells the Alertmanager at that address, or nobody.
func (s *site) scraper(listen, alertmanager string, flags ...string) prometheus {
	s.t.Helper()
	rules, err := filepath.Abs(filepath.Join(shipped, "systole.rules.yml"))
	must(s.t, err)
	var config map[string]any
	readYAML(s.t, "prometheus.yml", &config)
	config["rule_files"] = []string{rules}
	config["global"] = map[string]any{"scrape_interval": "1s", "evaluation_interval": "1s"}
	if alertmanager == "" {
		delete(config, "alerting")
	} else {
		config["alerting"] = map[string]any{"alertmanagers": []any{targets(alertmanager)}}
	}
	job := config["scrape_configs"].([]any)[0].(map[string]any)
	job["scrape_interval"], job["scrape_timeout"] = "1s", "900ms"
	for i, n := range s.nodes() {
		job["static_configs"].([]any)[i].(map[string]any)["targets"] = []string{metricsAddress(n)}
	}
	file := filepath.Join(s.t.TempDir(), "prometheus.yml")
	text, err := yaml.Marshal(config)
	must(s.t, err)
	must(s.t, os.WriteFile(file, text, 0o600))
	s.beside("prometheus", append(flags, "--config.file="+file, "--storage.tsdb.path="+filepath.Dir(file),
		"--web.listen-address="+listen, "--log.level=warn")...)
	p := prometheus{s, "http://" + listen + "/api/v1/"}
	s.eventually("Prometheus is ready", func() error {
		_, err := s.get("http://" + listen + "/-/ready")
		return err
	})
	return p
}

func targets(address string) map[string]any {
	return map[string]any{"static_configs": []any{map[string]any{"targets": []string{address}}}}
}

func metricsAddress(n *lab.Node) string { return n.Host(lab.Service).String() + ":9694" }

// alertmanager runs the shipped routes, whose receivers post to the inbox. It
// tells what joins a page after ten seconds instead of a minute, so that a second
// page has more chances and the test is shorter.
func (s *site) alertmanager(listen string, in *inbox) {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(shipped, "alertmanager.yml"))
	must(s.t, err)
	config := string(text)
	for _, receiver := range receivers {
		example := "http://" + receiver + ".example.org/"
		if !strings.Contains(config, example) {
			s.t.Fatalf("alertmanager.yml has no receiver at %s", example)
		}
		config = strings.ReplaceAll(config, example, in.url(receiver))
	}
	config = strings.Replace(config, "group_wait: 10s\n          group_interval: 1m\n", "group_wait: 10s\n          group_interval: 10s\n", 1)
	if !strings.Contains(config, "group_interval: 10s") {
		s.t.Fatal("alertmanager.yml has no group_wait of 10s and group_interval of 1m for pages")
	}
	dir := s.t.TempDir()
	file := filepath.Join(dir, "alertmanager.yml")
	must(s.t, os.WriteFile(file, []byte(config), 0o600))
	s.beside("prometheus-alertmanager", "--config.file="+file, "--storage.path="+dir,
		"--web.listen-address="+listen, "--cluster.listen-address=", "--log.level=warn")
	s.eventually("Alertmanager is ready", func() error {
		_, err := s.get("http://" + listen + "/-/ready")
		return err
	})
}

func readYAML(t *testing.T, name string, v any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(shipped, name))
	must(t, err)
	must(t, yaml.Unmarshal(text, v))
}

// get gives the body of a page, asked for in the client's network.
func (s *site) get(url string) ([]byte, error) {
	response, err := s.http.Get(url)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(response.Body); err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s: %s", url, response.Status, body.Bytes())
	}
	return body.Bytes(), nil
}

// A series is its labels and its values, of which an instant query has one.
type series struct {
	labels map[string]string
	points []point
}

type point struct {
	at    time.Time
	value float64 // NaN for a native histogram
}

// instant asks for the values at an instant.
func (p prometheus) instant(expr string, at time.Time) ([]series, error) {
	return p.ask("query", url.Values{"query": {expr}, "time": {timestamp(at)}})
}

// between asks for the values of every second from one instant to another.
func (p prometheus) between(expr string, from, to time.Time) ([]series, error) {
	return p.ask("query_range", url.Values{"query": {expr}, "start": {timestamp(from)}, "end": {timestamp(to)}, "step": {"1"}})
}

// exemplars are the ids of the traces that stand beside what a query asks.
func (p prometheus) exemplars(expr string, from, to time.Time) (traces []string, err error) {
	form := url.Values{"query": {expr}, "start": {timestamp(from)}, "end": {timestamp(to)}}
	body, err := p.site.get(p.api + "query_exemplars?" + form.Encode())
	if err != nil {
		return nil, err
	}
	var answer struct {
		Data []struct {
			Exemplars []struct{ Labels map[string]string }
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, err
	}
	for _, series := range answer.Data {
		for _, e := range series.Exemplars {
			if trace := e.Labels["trace_id"]; !slices.Contains(traces, trace) {
				traces = append(traces, trace)
			}
		}
	}
	return traces, nil
}

func timestamp(at time.Time) string {
	return strconv.FormatFloat(float64(at.UnixNano())/1e9, 'f', 3, 64)
}

func (p prometheus) ask(how string, form url.Values) (all []series, err error) {
	var answer struct {
		Data struct {
			Result []struct {
				Metric     map[string]string
				Value      *sample
				Values     []sample
				Histogram  *sample
				Histograms []sample
			}
		}
	}
	body, err := p.site.get(p.api + how + "?" + form.Encode())
	if err == nil {
		err = json.Unmarshal(body, &answer)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", form.Get("query"), err)
	}
	for _, r := range answer.Data.Result {
		s := series{labels: r.Metric}
		for _, one := range []*sample{r.Value, r.Histogram} {
			if one != nil {
				s.points = append(s.points, point(*one))
			}
		}
		for _, one := range slices.Concat(r.Values, r.Histograms) {
			s.points = append(s.points, point(one))
		}
		all = append(all, s)
	}
	return all, nil
}

// A sample is written as [seconds, "value"], or, of a native histogram, with an
// object for its value.
type sample point

func (s *sample) UnmarshalJSON(text []byte) error {
	var pair [2]json.RawMessage
	var seconds float64
	if err := errors.Join(json.Unmarshal(text, &pair), json.Unmarshal(pair[0], &seconds)); err != nil {
		return err
	}
	s.at = time.UnixMilli(int64(seconds * 1000))
	var value string
	if err := json.Unmarshal(pair[1], &value); err != nil {
		value = "NaN"
	}
	var err error
	s.value, err = strconv.ParseFloat(value, 64)
	return err
}
