package traces

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/systole-ha/systole/agent/event"
)

// stream reads what two nodes reported in one incident. The files are recorded
// from the simulated cluster by cmd/systole's TestStreams.
func stream(t *testing.T, name string) []event.Record {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var records []event.Record
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var line struct {
			Time       time.Time
			Node, Kind string
			Event      json.RawMessage
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		e := reflect.New(reflect.TypeOf(event.Lookup(zero(t, line.Kind)).Event))
		if err := json.Unmarshal(line.Event, e.Interface()); err != nil {
			t.Fatal(err)
		}
		records = append(records, event.Record{
			Sequence: uint64(len(records) + 1), Time: line.Time, Cluster: "sim", Node: line.Node, Event: e.Elem().Interface().(event.Event),
		})
	}
	if len(records) == 0 {
		t.Fatalf("%s has no records", name)
	}
	return records
}

func zero(t *testing.T, kind string) event.Event {
	for _, entry := range event.Catalogue {
		if entry.Event.Kind() == kind {
			return entry.Event
		}
	}
	t.Fatalf("no event %q", kind)
	return nil
}

// streams are the names of all of them.
func streams(t *testing.T) []string {
	files, err := filepath.Glob("testdata/*.jsonl")
	if err != nil || len(files) == 0 {
		t.Fatal("no streams", err)
	}
	names := make([]string, len(files))
	for i, file := range files {
		names[i] = filepath.Base(file[:len(file)-len(".jsonl")])
	}
	return names
}
