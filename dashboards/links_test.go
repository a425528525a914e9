package dashboards

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

// TestNamesThatOthersKnow holds the boards' names to what alerts and bookmarks
// point at.
func TestNamesThatOthersKnow(t *testing.T) {
	var got []string
	for _, b := range committed(t) {
		got = append(got, b.UID)
	}
	want := []string{"systole-overview", "systole-links", "systole-takeover", "systole-resources", "systole-daemon"}
	if !slices.Equal(got, want) {
		t.Errorf("uids:\n got %v\nwant %v", got, want)
	}
}

var toBoard = regexp.MustCompile(`/d/([a-z-]+)(\?var-([a-z]+)=)?`)

// TestLinksArrive follows every link to a board: those of panels and those of
// alerts.
func TestLinksArrive(t *testing.T) {
	choices := map[string][]string{}
	var urls []string
	for _, b := range committed(t) {
		for _, v := range b.Templating.List {
			choices[b.UID] = append(choices[b.UID], v.Name)
		}
		for _, p := range b.shown() {
			for _, l := range p.FieldConfig.Defaults.Links {
				urls = append(urls, l.URL)
			}
		}
	}
	rules, err := os.ReadFile("../alerts/systole.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	urls = append(urls, toBoard.FindAllString(string(rules), -1)...)
	if len(urls) < 20 {
		t.Fatalf("only %d links found", len(urls))
	}
	for _, url := range urls {
		m := toBoard.FindStringSubmatch(url)
		if m == nil || choices[m[1]] == nil || m[3] != "" && !slices.Contains(choices[m[1]], m[3]) {
			t.Errorf("%s leads nowhere", url)
		}
	}
}
