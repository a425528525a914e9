package collector

import (
	"errors"
	"testing"
)

func TestProtocol(t *testing.T) {
	for _, tt := range []struct {
		name        string
		environment map[string]string
		want        string
		err         error
	}{
		{name: "nothing set: no exporter"},
		{name: "an endpoint", environment: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://192.0.2.1:4318"}, want: HTTP},
		{name: "an endpoint of logs", environment: map[string]string{"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://192.0.2.1:4318/v1/logs"}, want: HTTP},
		{name: "an endpoint of traces is not ours", environment: map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://192.0.2.1:4318/v1/traces"}},
		{name: "an exporter by name, at its default endpoint", environment: map[string]string{"OTEL_LOGS_EXPORTER": "otlp"}, want: HTTP},
		{name: "none, though there is an endpoint", environment: map[string]string{"OTEL_LOGS_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://192.0.2.1:4318"}},
		{name: "traces are another exporter's", environment: map[string]string{"OTEL_TRACES_EXPORTER": "otlp"}},
		{name: "disabled", environment: map[string]string{"OTEL_SDK_DISABLED": "TRUE", "OTEL_LOGS_EXPORTER": "otlp"}},
		{name: "gRPC", environment: map[string]string{"OTEL_LOGS_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, want: GRPC},
		{name: "gRPC for traces alone", environment: map[string]string{"OTEL_LOGS_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc"}, want: HTTP},
		{name: "the signal's protocol wins", environment: map[string]string{"OTEL_LOGS_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL": "http/protobuf"}, want: HTTP},
		{name: "one we do not have", environment: map[string]string{"OTEL_LOGS_EXPORTER": "console"}, err: ErrExporter},
		{name: "a protocol we do not have", environment: map[string]string{"OTEL_LOGS_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"}, err: ErrExporter},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for name, value := range tt.environment {
				t.Setenv(name, value)
			}
			got, err := Protocol("LOGS")
			if got != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("Protocol = %q, %v; want %q, %v", got, err, tt.want, tt.err)
			}
		})
	}
}
