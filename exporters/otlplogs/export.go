package otlplogs

import (
	"context"

	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"

	"github.com/systole-ha/systole/exporters/internal/collector"
)

// exporterOf makes the exporter of a protocol. It does not try again: send does.
func exporterOf(protocol string) (exporter, error) {
	if protocol == collector.GRPC {
		return otlploggrpc.New(context.Background(), otlploggrpc.WithRetry(otlploggrpc.RetryConfig{}))
	}
	return otlploghttp.New(context.Background(), otlploghttp.WithRetry(otlploghttp.RetryConfig{}))
}
