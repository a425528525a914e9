package interop

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/systole-ha/systole/test/lab"
)

// A line is one of a node's journal.
type line struct {
	cursor   string
	priority string // of syslog: 4 is a warning, less is worse
	event    string // of systole's, "" of anybody else's
	message  string
}

// news are the lines that a node's journal has got since they were last asked
// for. While the node is off there are none; they are there when it is back.
func (s *stage) news(n *lab.Node) []line {
	s.t.Helper()
	if !n.On() {
		return nil
	}
	query := "journalctl --sync && journalctl --quiet --all --output=json"
	if cursor := s.cursors[n]; cursor != "" {
		query += " --after-cursor='" + cursor + "'"
	}
	out, err := n.Run(soon(s.t), "sh", "-c", query)
	must(s.t, err)
	var lines []line
	for text := range strings.Lines(out) {
		var fields map[string]any
		must(s.t, json.Unmarshal([]byte(text), &fields))
		get := func(name string) string { value, _ := fields[name].(string); return value }
		l := line{get("__CURSOR"), get("PRIORITY"), get("SYSTOLE_EVENT"), get("MESSAGE")}
		s.cursors[n] = l.cursor
		lines = append(lines, l)
	}
	return lines
}

// complaint is what Heartbeat or one of its scripts says at one of the levels
// that call for somebody.
var complaint = regexp.MustCompile(`\b(?:WARN|WARNING|ERROR|CRIT|CRITICAL|ALERT|EMERG): .*`)

// complaints are what the daemon of a node complains of in some lines, without
// what differs from one time to the next: of systole the kinds of its events at
// level warning and above.
func complaints(by *daemon, lines []line) []string {
	var found []string
	for _, l := range lines {
		switch {
		case by == systole && l.event != "" && l.priority <= "4":
			found = append(found, l.event)
		case by == heartbeat && l.event == "" && complaint.MatchString(l.message):
			found = append(found, generalize(complaint.FindString(l.message)))
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// particulars are what tells one occasion of a complaint from another.
var particulars = []struct {
	pattern *regexp.Regexp
	word    string
}{
	{regexp.MustCompile(`\b(?:alpha|beta)\b`), "NODE"},
	{regexp.MustCompile(`\beth[01]\b`), "LINK"},
	{regexp.MustCompile(`\b(?:\d+\.){3}\d+\b`), "ADDRESS"},
	{regexp.MustCompile(`(MSG\[\d+\] : ).*`), "MSG"},
	{regexp.MustCompile(`(authtoken|authstr|autotoken|s)=\S*`), "$1="},
	{regexp.MustCompile(`0x[0-9a-f]+`), "N"},
	{regexp.MustCompile(`\d+`), "N"},
}

func generalize(complaint string) string {
	for _, p := range particulars {
		complaint = p.pattern.ReplaceAllString(complaint, p.word)
	}
	return complaint
}
