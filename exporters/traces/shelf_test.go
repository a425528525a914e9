package traces

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/trace"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// keeping starts Traces on a backend, with a folder. It is for bubbles.
func keeping(t *testing.T, b *backend, dir string, report func(error)) *Traces {
	t.Helper()
	tr, err := start(Config{Cluster: "sim", Node: "alpha", StateDir: dir}, b, newComplaints(report))
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func refusing() *backend { return &backend{err: errors.New("refused")} }

// TestIncidentsOutliveTheDaemon: what one could not send, the next one does.
func TestIncidentsOutliveTheDaemon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		first := keeping(t, refusing(), dir, nil)
		release(first, 1)
		release(first, 2)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		file := filepath.Join(dir, keptFile)
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatalf("nothing is on disk before the end: %v", err)
		}
		for _, want := range []string{`"traceId":"00000000000000000000000000000001"`, `"traceId":"00000000000000000000000000000002"`, `"kind":1`} {
			if !bytes.Contains(text, []byte(want)) {
				t.Errorf("no %s in\n%s", want, text)
			}
		}
		if err := first.Close(t.Context()); err != nil {
			t.Errorf("nothing is lost, and yet: %v", err)
		}

		b := &backend{}
		second := keeping(t, b, dir, nil)
		if n := second.Stats().Kept; n != 2 {
			t.Errorf("%d incidents are read again, want 2", n)
		}
		time.Sleep(retryFirst + time.Second)
		synctest.Wait()
		if got, want := b.names(), []string{"release", "group", "release", "group"}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		if err := second.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("what was sent is still kept: %v", err)
		}
	})
}

// TestTheFirstThatSucceedsBringsTheOthers: nobody waits for the next try.
func TestTheFirstThatSucceedsBringsTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		first := keeping(t, refusing(), dir, nil)
		release(first, 1)
		closeSoon(t, first)
		b := &backend{}
		second := keeping(t, b, dir, nil)
		release(second, 2)
		time.Sleep(retryFirst / 2) // the batch takes 5 s
		if got := len(b.names()); got != 4 {
			t.Errorf("%d spans, want both incidents", got)
		}
		closeSoon(t, second)
	})
}

// TestNoFolder: a folder that cannot be written changes nothing else.
func TestNoFolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		notAFolder := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(notAFolder, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		b := refusing()
		var reported []error
		tr := keeping(t, b, notAFolder, func(err error) { reported = append(reported, err) })
		release(tr, 1)
		time.Sleep(10 * time.Second)
		if stats := tr.Stats(); stats.Kept != 1 {
			t.Errorf("%d kept in memory, want 1", stats.Kept)
		}
		b.become(nil, false)
		time.Sleep(retryFirst)
		if got := len(b.names()); got != 2 {
			t.Errorf("%d spans came, want 2", got)
		}
		b.become(errors.New("refused"), false)
		release(tr, 2)
		time.Sleep(10 * time.Second)
		if err := tr.Close(t.Context()); err == nil || tr.Stats().Dropped[shutdown] != 2 {
			t.Errorf("Close: %v, %v; want the two spans that are lost", err, tr.Stats().Dropped)
		}
		if len(reported) == 0 {
			t.Error("nobody was told")
		}
	})
}

// TestTheFileHasABound: 64 incidents and 1 MiB, the newest.
func TestTheFileHasABound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		tr := keeping(t, refusing(), dir, nil)
		for id := range uint64(200) {
			release(tr, id+1)
			time.Sleep(6 * time.Second)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := tr.Close(ctx); err != nil {
			t.Error(err)
		}
		text, err := os.ReadFile(filepath.Join(dir, keptFile))
		if err != nil || len(text) > keptBytes {
			t.Fatalf("%d bytes, %v", len(text), err)
		}
		if lines := bytes.Count(text, []byte("\n")); lines != keptIncidents {
			t.Errorf("%d lines, want %d", lines, keptIncidents)
		}
		if oldest := regexp.MustCompile(`"traceId":"(\w+)"`).FindSubmatch(text)[1]; string(oldest) != "00000000000000000000000000000089" {
			t.Errorf("the oldest is %s, want the 137th", oldest)
		}
	})
}

// TestAFileThatIsDamaged gives what can still be read of it.
func TestAFileThatIsDamaged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		first := keeping(t, refusing(), dir, nil)
		release(first, 1)
		closeSoon(t, first)
		file := filepath.Join(dir, keptFile)
		good, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, slices.Concat([]byte("{}\nnot JSON\n"), good, good[:len(good)/2]), 0o600); err != nil {
			t.Fatal(err)
		}
		var reported []error
		second := keeping(t, &backend{}, dir, func(err error) { reported = append(reported, err) })
		if n := second.Stats().Kept; n != 1 || len(reported) != 1 || !strings.Contains(reported[0].Error(), keptFile+":1: no span") {
			t.Errorf("%d incidents; reported %v", n, reported)
		}
		closeSoon(t, second)
	})
}

// whole has everything that a line can have.
func whole() []*otlp.ResourceSpans {
	text := func(s string) *common.AnyValue {
		return &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: s}}
	}
	id := trace.TraceID{1, 2, 3, 0xff}
	return []*otlp.ResourceSpans{{SchemaUrl: "https://opentelemetry.io/schemas/1.43.0", ScopeSpans: []*otlp.ScopeSpans{{Spans: []*otlp.Span{{
		TraceId: id[:], SpanId: []byte{1, 2, 3, 4, 5, 6, 7, 0xfe}, ParentSpanId: []byte{8, 7, 6, 5, 4, 3, 2, 1},
		Name: "takeover", Kind: otlp.Span_SPAN_KIND_CONSUMER, StartTimeUnixNano: 1<<63 + 1, EndTimeUnixNano: 1<<63 + 2,
		Attributes: []*common.KeyValue{{Key: "traceId", Value: text("not an id: é\n")}},
		Links:      []*otlp.Span_Link{{TraceId: id[:], SpanId: []byte{1, 1, 1, 1, 1, 1, 1, 1}}},
		Status:     &otlp.Status{Code: otlp.Status_STATUS_CODE_ERROR, Message: "failed"},
	}}}}}}
}

func TestLinesAreReadAsTheyWereWritten(t *testing.T) {
	line, err := encode(whole())
	if err != nil || bytes.ContainsRune(line, '\n') {
		t.Fatalf("%s, %v", line, err)
	}
	got, id, count, err := decode(line)
	if err != nil || count != 1 || id != (trace.TraceID{1, 2, 3, 0xff}) {
		t.Fatalf("%d spans of %s, %v", count, id, err)
	}
	if want := whole(); !proto.Equal(got[0], want[0]) {
		t.Errorf("\n got %v\nwant %v", got[0], want[0])
	}
}

func FuzzDecode(f *testing.F) {
	line, err := encode(whole())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(line)
	f.Add([]byte(`{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"00"}]}]}]}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		spans, _, _, err := decode(line)
		if err != nil {
			return
		}
		again, err := encode(spans)
		if err != nil {
			t.Fatalf("read and not written: %v", err)
		}
		if _, _, _, err := decode(again); err != nil {
			t.Fatalf("written and not read: %v", err)
		}
	})
}
