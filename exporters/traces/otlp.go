package traces

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
)

// A capture is an OTLP client that keeps what it is to send: the one way the
// SDK has of turning its spans into OTLP's.
type capture struct{ got []*otlp.ResourceSpans }

func (*capture) Start(context.Context) error { return nil }
func (*capture) Stop(context.Context) error  { return nil }
func (c *capture) UploadTraces(_ context.Context, spans []*otlp.ResourceSpans) error {
	c.got = spans
	return nil
}

// asOTLP turns spans of the SDK into OTLP's.
func asOTLP(spans []sdktrace.ReadOnlySpan) ([]*otlp.ResourceSpans, error) {
	var c capture
	err := otlptrace.NewUnstarted(&c).ExportSpans(context.Background(), spans)
	return c.got, err
}

// encode writes spans as one line of OTLP JSON, as the Collector's file
// exporter writes them and its receiver otlpjsonfile reads them. It differs from
// protobuf's own JSON: enumerations are numbers, ids are hex.
//
// Source: OpenTelemetry protocol specification, "JSON Protobuf Encoding".
func encode(spans []*otlp.ResourceSpans) ([]byte, error) {
	text, err := protojson.MarshalOptions{UseEnumNumbers: true}.Marshal(&otlp.TracesData{ResourceSpans: spans})
	if err != nil {
		return nil, err
	}
	return rewriteIDs(text, func(id string) (string, error) {
		b, err := base64.StdEncoding.DecodeString(id)
		return hex.EncodeToString(b), err
	})
}

// decode is the undoing of encode. A line without a span is an error.
func decode(line []byte) (spans []*otlp.ResourceSpans, of trace.TraceID, count int, err error) {
	text, err := rewriteIDs(line, func(id string) (string, error) {
		b, err := hex.DecodeString(id)
		return base64.StdEncoding.EncodeToString(b), err
	})
	if err != nil {
		return nil, of, 0, err
	}
	var data otlp.TracesData
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(text, &data); err != nil {
		return nil, of, 0, err
	}
	for _, resource := range data.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			for _, span := range scope.Spans {
				if len(span.TraceId) != len(of) {
					return nil, of, 0, fmt.Errorf("a trace's id has %d bytes, want %d", len(span.TraceId), len(of))
				}
				of = trace.TraceID(span.TraceId)
				count++
			}
		}
	}
	if count == 0 {
		return nil, of, 0, fmt.Errorf("no span")
	}
	return data.ResourceSpans, of, count, nil
}

// rewriteIDs changes how the ids of spans and links are written.
func rewriteIDs(text []byte, rewrite func(string) (string, error)) ([]byte, error) {
	var all any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&all); err != nil {
		return nil, err
	}
	if err := walkIDs(all, rewrite); err != nil {
		return nil, err
	}
	return json.Marshal(all)
}

func walkIDs(v any, rewrite func(string) (string, error)) (err error) {
	switch v := v.(type) {
	case []any:
		for _, element := range v {
			if err := walkIDs(element, rewrite); err != nil {
				return err
			}
		}
	case map[string]any:
		for key, value := range v {
			text, isText := value.(string)
			switch {
			case isText && (key == "traceId" || key == "spanId" || key == "parentSpanId"):
				v[key], err = rewrite(text)
			default:
				err = walkIDs(value, rewrite)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}
