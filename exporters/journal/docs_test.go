package journal

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/event"
	"github.com/systole-ha/systole/exporters/internal/eventdoc"
)

//go:generate go test -run TestDocs -update .

var update = flag.Bool("update", false, "rewrite docs/events.md")

// TestDocs holds docs/events.md to the catalogue and to what the source says of
// each field.
func TestDocs(t *testing.T) {
	const name = "../../docs/events.md"
	got := document(t)
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is stale: run go generate ./exporters/journal and read the diff", name)
	}
}

func document(t *testing.T) string {
	structs, err := eventdoc.Read("../../agent/event")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString(`# Events

Generated from agent/event by ` + "`go generate ./exporters/journal`" + `; do not edit.

What the agent finds to be true, it raises as one of these events, and every exporter sees the same ones: metrics, journal,
` + "`systole events`" + `. Kinds, fields and MESSAGE_IDs are never renamed without notice in the changelog.

Each record has a sequence number (from 1 at each start of the daemon, without gaps), the time, the cluster, and the node
that reports. In JSON and in the journal a field is left out where it is zero: not known, none, false. In JSON durations
are seconds and end in ` + "`_seconds`" + `; in the journal a field is the same name in capitals after ` + "`SYSTOLE_`" + `, and its entry also
has ` + "`SYSTOLE_EVENT`, `SYSTOLE_SEQUENCE`, `SYSTOLE_TIME`, `SYSTOLE_CLUSTER`, `SYSTOLE_NODE`" + `, ` + "`SYSLOG_IDENTIFIER=systole`" + `, MESSAGE_ID
and a PRIORITY: info 6, notice 5, warning 4, error 3, critical 2. Samples are measurements, many a second: they go into
metrics and never into a log.

| kind | severity | meaning |
|---|---|---|
`)
	for _, entry := range event.Catalogue {
		fmt.Fprintf(&b, "| [`%s`](#%s) | %s | %s |\n", entry.Event.Kind(), anchor(entry.Event.Kind()), severity(entry), entry.Meaning)
	}
	for _, entry := range event.Catalogue {
		describe(t, &b, entry, structs)
	}
	return b.String()
}

func describe(t *testing.T, b *strings.Builder, entry event.Entry, structs map[string][]eventdoc.Field) {
	fmt.Fprintf(b, "\n## %s\n\n%s: %s.", entry.Event.Kind(), capital(severity(entry)), entry.Meaning)
	if entry.MessageID != "" {
		fmt.Fprintf(b, " MESSAGE_ID `%s`.", entry.MessageID)
	}
	b.WriteString("\n")
	for _, s := range sentences {
		if s.event.Kind() == entry.Event.Kind() {
			fmt.Fprintf(b, "\n> %s\n", s.want)
			break
		}
	}
	fields, ok := structs[reflect.TypeOf(entry.Event).Name()]
	if !ok {
		t.Errorf("the source of %s was not found", entry.Event.Kind())
	}
	b.WriteString("\n| field | type | in the journal | |\n|---|---|---|---|\n")
	i := 0
	for name, value := range event.Fields(filled(entry.Event)) {
		_, isDuration := value.(time.Duration)
		journalName := "`" + fieldName(name, isDuration) + "`"
		if entry.Severity == event.Sample {
			journalName = ""
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", jsonName(name, isDuration), kindOf(value), journalName, comment(fields[i]))
		i++
	}
}

// severity names both where it depends on what the event says.
func severity(entry event.Entry) string {
	all := event.Severities(entry.Event)
	if len(all) == 2 {
		return fmt.Sprintf("%s or %s", min(all[0], all[1]), max(all[0], all[1]))
	}
	return all[0].String()
}

// jsonName is the field's name as event.Map has it.
func jsonName(name string, isDuration bool) string {
	if isDuration {
		return name + "_seconds"
	}
	return name
}

// kindOf is the type of a field as JSON shows it.
func kindOf(value any) string {
	switch value.(type) {
	case time.Duration:
		return "seconds"
	case time.Time:
		return "time"
	case string:
		return "text"
	case []string:
		return "list"
	case bool:
		return "true"
	}
	return "number"
}

func comment(f eventdoc.Field) string { return strings.ReplaceAll(f.Comment, "|", "\\|") }

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// anchor is what GitHub makes of a heading: dots go.
func anchor(kind string) string { return strings.ReplaceAll(kind, ".", "") }

// TestDocumentNamesAreThoseOfMap: what the document calls a field is what JSON has.
func TestDocumentNamesAreThoseOfMap(t *testing.T) {
	for _, entry := range event.Catalogue {
		full := filled(entry.Event)
		asMap := event.Map(full)
		for name, value := range event.Fields(full) {
			_, isDuration := value.(time.Duration)
			if _, ok := asMap[jsonName(name, isDuration)]; !ok {
				t.Errorf("%s: %s is not in its map %v", entry.Event.Kind(), jsonName(name, isDuration), asMap)
			}
		}
	}
}
