package event

import (
	"encoding/hex"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestCatalogueIsWhole(t *testing.T) {
	declared := map[string]bool{}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == "isEvent" && f.Recv != nil {
				declared[f.Recv.List[0].Type.(*ast.Ident).Name] = true
			}
		}
	}
	kinds, ids := map[string]bool{}, map[string]bool{}
	form := regexp.MustCompile(`^[a-z_]+\.[a-z_]+$`)
	for _, entry := range Catalogue {
		kind := entry.Event.Kind()
		if !form.MatchString(kind) || kinds[kind] {
			t.Errorf("kind %q is malformed or not unique", kind)
		}
		kinds[kind] = true
		delete(declared, reflect.TypeOf(entry.Event).Name())
		if entry.Meaning == "" {
			t.Errorf("%s has no meaning", kind)
		}
		if entry.Severity == Sample {
			continue
		}
		if b, err := hex.DecodeString(entry.MessageID); err != nil || len(b) != 16 || ids[entry.MessageID] {
			t.Errorf("%s: MESSAGE_ID %q is not 32 hex digits of its own", kind, entry.MessageID)
		}
		ids[entry.MessageID] = true
	}
	for name := range declared {
		t.Errorf("%s is an event but not in the catalogue", name)
	}
}

func TestTextAndMap(t *testing.T) {
	e := TakeoverCompleted{
		ID: 1, Trigger: "peer_dead", Groups: []string{"IPaddr::192.0.2.10", "nginx"},
		Took: 1500 * time.Millisecond,
	}
	if got, want := Text(e), "takeover.completed id=1 trigger=peer_dead groups=IPaddr::192.0.2.10,nginx took=1.5s"; got != want {
		t.Errorf("Text\n got %s\nwant %s", got, want)
	}
	want := map[string]any{"id": uint64(1), "trigger": "peer_dead", "took_seconds": 1.5}
	got := Map(e)
	delete(got, "groups")
	if !maps.Equal(got, want) {
		t.Errorf("Map\n got %v\nwant %v", got, want)
	}
	if got, want := Text(SendFailed{Link: "eth0", Reason: "a \"b\""}), `send.failed link=eth0 reason="a \"b\""`; got != want {
		t.Errorf("Text\n got %s\nwant %s", got, want)
	}
}

func TestFieldNames(t *testing.T) {
	for name, want := range map[string]string{"LastHeard": "last_heard", "UID": "uid", "ID": "id", "PingNode": "ping_node", "ConfigHash": "config_hash"} {
		if got := snake(name); got != want {
			t.Errorf("snake(%s) = %s, want %s", name, got, want)
		}
	}
	for _, entry := range Catalogue {
		for i := range reflect.TypeOf(entry.Event).NumField() {
			if name := snake(reflect.TypeOf(entry.Event).Field(i).Name); strings.Contains(name, "__") {
				t.Errorf("%s: field %s", entry.Event.Kind(), name)
			}
		}
	}
}

// TestSeveritiesOfAKind: the list does not depend on what the event says.
func TestSeveritiesOfAKind(t *testing.T) {
	for _, tt := range []struct {
		event Event
		want  []Severity
	}{
		{NodeStarted{}, []Severity{Info}},
		{HeartbeatSent{}, []Severity{Sample}},
		{PeerDead{}, []Severity{Critical, Notice}},
		{PeerDead{NeverHeard: true}, []Severity{Critical, Notice}},
		{ReadinessChanged{Ready: true}, []Severity{Notice, Warning}},
	} {
		if got := Severities(tt.event); !slices.Equal(got, tt.want) {
			t.Errorf("Severities(%+v):\n got %v\nwant %v", tt.event, got, tt.want)
		}
		if got := SeverityOf(tt.event); !slices.Contains(tt.want, got) {
			t.Errorf("SeverityOf(%+v) is %v, which is none of %v", tt.event, got, tt.want)
		}
	}
}

func TestSeverityDependsOnTheResult(t *testing.T) {
	if got := SeverityOf(ResourceOperation{Result: "failed"}); got != Warning {
		t.Errorf("a failed operation is %v", got)
	}
	if got := SeverityOf(ResourceOperation{Result: "ok"}); got != Info {
		t.Errorf("a good operation is %v", got)
	}
	if got := SeverityOf(AgentLate{Held: true}); got != Warning {
		t.Errorf("a held verdict is %v", got)
	}
}
