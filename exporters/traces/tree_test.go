package traces

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
)

var update = flag.Bool("update", false, "rewrite the trees")

// TestTrees shows each stream as the traces that a collector has of it: the
// specification that an operator can read.
func TestTrees(t *testing.T) {
	for _, name := range streams(t) {
		t.Run(name, func(t *testing.T) {
			got := draw(replay(t, name))
			file := filepath.Join("testdata", name+".tree")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s differs (go test -update rewrites it)\n got\n%s\nwant\n%s", file, got, want)
			}
		})
	}
}

// epoch is when the streams begin.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// draw writes one trace after the other, each span below its parent. A span
// whose parent never came is marked.
func draw(all []seen) string {
	var b strings.Builder
	slices.SortStableFunc(all, func(x, y seen) int {
		return cmp.Or(cmp.Compare(x.StartTimeUnixNano, y.StartTimeUnixNano), cmp.Compare(x.node(), y.node()))
	})
	names := derivable(all)
	drawn := map[string]bool{}
	for _, s := range all {
		if id := string(s.TraceId); !drawn[id] {
			drawn[id] = true
			fmt.Fprintf(&b, "trace %x\n", s.TraceId)
			in := slices.DeleteFunc(slices.Clone(all), func(o seen) bool { return string(o.TraceId) != id })
			for _, top := range in {
				if !slices.ContainsFunc(in, func(o seen) bool { return string(o.SpanId) == string(top.ParentSpanId) }) {
					branch(&b, in, top, names, "  ")
				}
			}
		}
	}
	return b.String()
}

// derivable names every id that a node could have derived.
func derivable(all []seen) map[string]string {
	names := map[string]string{}
	for _, s := range all {
		for _, node := range []string{"alpha", "beta"} {
			for _, what := range []string{takeoverTop, releaseTop, joinTop} {
				id := spanID(trace.TraceID(s.TraceId), node, what)
				names[string(id[:])] = node + "'s " + what
			}
		}
	}
	return names
}

func branch(b *strings.Builder, all []seen, s seen, names map[string]string, indent string) {
	at := time.Unix(0, int64(s.StartTimeUnixNano)).Sub(epoch)
	fmt.Fprintf(b, "%s%s %s at %v for %v", indent, s.node(), s.Name, at, s.length())
	for _, key := range []string{"trigger", "peer", "group", "resource", "result", "released"} {
		if v := s.text("systole." + key); v != "" {
			fmt.Fprintf(b, " %s=%s", key, v)
		}
	}
	for _, l := range s.Links {
		fmt.Fprintf(b, " linked to %s", cmp.Or(names[string(l.SpanId)], "nobody"))
	}
	if s.Status.GetCode() == otlp.Status_STATUS_CODE_ERROR {
		fmt.Fprintf(b, " ERROR %q", s.Status.Message)
	}
	if len(s.ParentSpanId) > 0 && indent == "  " {
		fmt.Fprintf(b, " below %s, which never came", cmp.Or(names[string(s.ParentSpanId)], "nobody"))
	}
	b.WriteByte('\n')
	for _, e := range s.Events {
		fmt.Fprintf(b, "%s    - %s at %v %s\n", indent, e.Name, time.Unix(0, int64(e.TimeUnixNano)).Sub(epoch),
			cmp.Or(texts(e.Attributes)["systole.phase"], texts(e.Attributes)["systole.resource"]))
	}
	for _, child := range all {
		if string(child.ParentSpanId) == string(s.SpanId) {
			branch(b, all, child, names, indent+"  ")
		}
	}
}

func (s seen) node() string { return s.resource["host.name"] }

func (s seen) length() time.Duration {
	return time.Duration(s.EndTimeUnixNano - s.StartTimeUnixNano)
}

func (s seen) text(key string) string { return texts(s.Attributes)[key] }

func (s seen) number(key string) (float64, bool) {
	for _, a := range s.Attributes {
		if a.Key == key {
			return a.Value.GetDoubleValue(), true
		}
	}
	return 0, false
}
