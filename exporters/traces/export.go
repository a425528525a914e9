package traces

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// ErrExporter is wrapped by what New says of an exporter it does not have.
var ErrExporter = errors.New("no such exporter of traces")

// exporterOf makes the exporter that the environment asks for; nil where it asks
// for none. Endpoints, headers, certificates, compression and timeouts are read
// by the exporters themselves. They do not try again: the courier does.
//
// OTEL_TRACES_EXPORTER is "otlp" or "none". Where it is not set, it is otlp if
// an endpoint is set, and none otherwise: unlike the specification's default, a
// node without any setting does not look for a collector on itself.
//
// Source: OpenTelemetry specification, "Environment Variable Specification" and
// "OpenTelemetry Protocol Exporter". The contrib module autoexport does the same
// for metrics and logs too, and would bring twelve modules for it.
func exporterOf(complaints *complaints) (otlptrace.Client, error) {
	if strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") {
		return nil, nil
	}
	switch name := strings.TrimSpace(os.Getenv("OTEL_TRACES_EXPORTER")); name {
	case "none":
		return nil, nil
	case "otlp":
	case "":
		if firstOf("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT") == "" {
			return nil, nil
		}
	default:
		return nil, fmt.Errorf("%w: OTEL_TRACES_EXPORTER=%s", ErrExporter, name)
	}
	otel.SetLogger(logr.New(complaints))
	switch protocol := firstOf("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"); protocol {
	case "grpc":
		return started(otlptracegrpc.NewClient(otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{})))
	case "", "http/protobuf":
		return started(otlptracehttp.NewClient(otlptracehttp.WithRetry(otlptracehttp.RetryConfig{})))
	default:
		return nil, fmt.Errorf("%w: OTEL_EXPORTER_OTLP_PROTOCOL=%s", ErrExporter, protocol)
	}
}

// started opens the connection; it does not wait for a collector.
func started(client otlptrace.Client) (otlptrace.Client, error) {
	if err := client.Start(context.Background()); err != nil {
		return nil, err
	}
	return client, nil
}

func firstOf(names ...string) string {
	for _, name := range names {
		if value := strings.TrimSpace(os.Getenv(name)); value != "" {
			return value
		}
	}
	return ""
}

// resourceOf is who we are on every span. What OTEL_RESOURCE_ATTRIBUTES and
// OTEL_SERVICE_NAME say wins.
func resourceOf(cfg Config) (*resource.Resource, error) {
	r, err := resource.New(context.Background(),
		resource.WithTelemetrySDK(),
		resource.WithHostID(),
		resource.WithSchemaURL(semconv.SchemaURL),
		resource.WithAttributes(
			semconv.ServiceName("systole"),
			semconv.ServiceNamespace(cfg.Cluster),
			semconv.ServiceInstanceID(cfg.InstanceID),
			semconv.ServiceVersion(cfg.Version),
			semconv.HostName(cfg.Node),
		),
		resource.WithFromEnv(),
	)
	if errors.Is(err, resource.ErrPartialResource) {
		err = nil // a machine without an id is still a machine
	}
	return r, err
}
