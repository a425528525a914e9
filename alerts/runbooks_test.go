package alerts

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const runbooks = "../docs/runbooks"

// sections are what every runbook has, in this order.
var sections = []string{"What it means", "How to see it", "What to do", "How it may be false"}

// pages are the runbooks by name, without the index.
func runbookPages(t testing.TB) map[string]string {
	t.Helper()
	files, err := filepath.Glob(runbooks + "/*.md")
	if err != nil {
		t.Fatal(err)
	}
	pages := map[string]string{}
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".md")
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if name != "README" {
			pages[name] = string(text)
		}
	}
	return pages
}

var heading = regexp.MustCompile(`(?m)^## (.*)$`)

func TestEveryAlertHasItsRunbook(t *testing.T) {
	pages := runbookPages(t)
	for _, a := range alerts(t) {
		text, ok := pages[a.Alert]
		if !ok {
			t.Errorf("%s has no runbook", a.Alert)
			continue
		}
		delete(pages, a.Alert)
		if want := "# " + a.Alert + "\n"; !strings.HasPrefix(text, want) {
			t.Errorf("%s: begins with %.40q, want %q", a.Alert, text, want)
		}
		var got []string
		for _, m := range heading.FindAllStringSubmatch(text, -1) {
			got = append(got, m[1])
		}
		if !slices.Equal(got, sections) {
			t.Errorf("%s: sections\n got %q\nwant %q", a.Alert, got, sections)
		}
		if !strings.Contains(text, "Severity: "+a.Labels["severity"]) {
			t.Errorf("%s: does not say \"Severity: %s\"", a.Alert, a.Labels["severity"])
		}
		if n := strings.Count(text, "\n"); n > 80 {
			t.Errorf("%s: %d lines are more than a page", a.Alert, n)
		}
		if !strings.Contains(text, "```sh\n") {
			t.Errorf("%s: no command", a.Alert)
		}
	}
	for name := range pages {
		t.Errorf("%s.md is about no alert", name)
	}
}

var fenced = regexp.MustCompile("(?ms)^```(sh|promql)\n(.*?)^```$")

// commands are the lines of a runbook's blocks of a kind. Lines of PromQL that
// are indented belong to the one before.
func commands(text, kind string) (lines []string) {
	for _, m := range fenced.FindAllStringSubmatch(text, -1) {
		if m[1] != kind {
			continue
		}
		for line := range strings.Lines(m[2]) {
			line = strings.TrimRight(line, "\n")
			if strings.HasPrefix(line, " ") && len(lines) > 0 {
				lines[len(lines)-1] += line
			} else if line != "" {
				lines = append(lines, line)
			}
		}
	}
	return lines
}

var (
	ourCommand   = regexp.MustCompile(`^(systole|cl_status|hb_standby|hb_takeover)\b ?(.*)$`)
	journalEvent = regexp.MustCompile(`SYSTOLE_EVENT=([a-z_.]+)`)
	eventKind    = regexp.MustCompile("(?m)^\\| \\[?`([a-z_.]+)`")
	definition   = regexp.MustCompile(`\.(Command|Flag)\("([a-z.-]+)"`)
	clSubcommand = regexp.MustCompile(`(?m)^\t"([a-z]+)":`)
	flagUse      = regexp.MustCompile(`--([a-z.-]+)`)
	placeholder  = regexp.MustCompile(`^[A-Z][A-Z0-9]*$`)
)

func read(t testing.TB, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func found(re *regexp.Regexp, text string, group int) (all []string) {
	for _, m := range re.FindAllStringSubmatch(text, -1) {
		all = append(all, m[group])
	}
	return all
}

// TestRunbookCommandsExist holds the commands of ours in the runbooks to the
// programs: whoever types them is in a hurry.
func TestRunbookCommandsExist(t *testing.T) {
	systole := found(definition, read(t, "../cmd/systole/main.go"), 2)
	clStatus := found(clSubcommand, read(t, "../cmd/cl_status/commands.go"), 1)
	kinds := found(eventKind, read(t, "../docs/events.md"), 1)
	scopes := []string{"all", "local", "foreign", "failback"}
	if len(systole) < 5 || len(clStatus) < 5 || len(kinds) < 20 {
		t.Fatalf("the programs are not understood: %v, %v, %v", systole, clStatus, kinds)
	}
	for name, text := range runbookPages(t) {
		for _, kind := range found(journalEvent, text, 1) {
			if !slices.Contains(kinds, kind) {
				t.Errorf("%s: there is no event %s", name, kind)
			}
		}
		for _, line := range commands(text, "sh") {
			m := ourCommand.FindStringSubmatch(line)
			if m == nil {
				continue
			}
			words := strings.Fields(strings.SplitN(strings.SplitN(m[2], "|", 2)[0], "#", 2)[0])
			known := map[string][]string{"systole": systole, "cl_status": clStatus, "hb_standby": scopes, "hb_takeover": scopes}[m[1]]
			if len(words) > 0 && !strings.HasPrefix(words[0], "-") && !placeholder.MatchString(words[0]) && !slices.Contains(known, words[0]) {
				t.Errorf("%s: %s has no command %s: %s", name, m[1], words[0], line)
			}
			for _, flag := range found(flagUse, strings.Join(words, " "), 1) {
				if m[1] == "systole" && !slices.Contains(systole, flag) {
					t.Errorf("%s: systole has no flag --%s: %s", name, flag, line)
				}
			}
		}
	}
}

// TestRunbookQueriesKnowTheFamilies: a name in a runbook that is not, or not
// any more, exported sends its reader the wrong way.
func TestRunbookQueriesKnowTheFamilies(t *testing.T) {
	known := families(t)
	for name, text := range runbookPages(t) {
		for _, q := range commands(text, "promql") {
			for _, s := range selectors(q) {
				f, ok := known.find(s.name)
				if strings.HasPrefix(s.name, "systole_") && (!ok || !f.exported && waiting[name] == nil) {
					t.Errorf("%s: %s is not exported: %s", name, s.name, q)
				}
			}
		}
	}
}

// expectRunbookQueries asks a Prometheus every query of the runbooks: it must
// understand them.
func expectRunbookQueries(t *testing.T, api string) {
	t.Helper()
	asked := 0
	for name, text := range runbookPages(t) {
		for _, q := range commands(text, "promql") {
			if _, err := query(api, q); err != nil {
				t.Errorf("%s: %s: %v", name, q, err)
			}
			asked++
		}
	}
	if asked == 0 {
		t.Error("no queries in the runbooks")
	}
}
