// Package collector is what exporters to an OpenTelemetry collector share: which
// of them the environment asks for, who they say they are, and where the SDK's
// complaints go.
package collector

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"go.opentelemetry.io/otel/sdk/resource"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// ErrExporter is wrapped by what Protocol says of an exporter that there is not.
var ErrExporter = errors.New("no such exporter")

// The protocols of OTLP.
const (
	GRPC = "grpc"
	HTTP = "http/protobuf"
)

// Protocol is that by which the environment asks for a signal, TRACES or LOGS,
// to be exported; empty where it does not. Endpoints, headers, certificates,
// compression and timeouts are read by the exporters themselves.
//
// OTEL_<signal>_EXPORTER is "otlp" or "none". Where it is not set, it is otlp if
// an endpoint is set, and none otherwise: unlike the specification's default, a
// node without any setting does not look for a collector on itself.
//
// Source: OpenTelemetry specification, "Environment Variable Specification" and
// "OpenTelemetry Protocol Exporter". The contrib module autoexport does the same
// for metrics too, and would bring twelve modules for it.
func Protocol(signal string) (string, error) {
	if strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") {
		return "", nil
	}
	switch name := strings.TrimSpace(os.Getenv("OTEL_" + signal + "_EXPORTER")); name {
	case "none":
		return "", nil
	case "otlp":
	case "":
		if firstOf("OTEL_EXPORTER_OTLP_"+signal+"_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT") == "" {
			return "", nil
		}
	default:
		return "", fmt.Errorf("%w: OTEL_%s_EXPORTER=%s", ErrExporter, signal, name)
	}
	switch protocol := firstOf("OTEL_EXPORTER_OTLP_"+signal+"_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"); protocol {
	case GRPC:
		return GRPC, nil
	case "", HTTP:
		return HTTP, nil
	default:
		return "", fmt.Errorf("%w: OTEL_EXPORTER_OTLP_PROTOCOL=%s", ErrExporter, protocol)
	}
}

func firstOf(names ...string) string {
	for _, name := range names {
		if value := strings.TrimSpace(os.Getenv(name)); value != "" {
			return value
		}
	}
	return ""
}

// An Identity is who reports.
type Identity struct {
	Cluster    string
	Node       string
	Version    string
	InstanceID string // of this node, stable over restarts
}

// Resource is who we are on everything that is exported. What
// OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME say wins.
func Resource(id Identity) (*resource.Resource, error) {
	r, err := resource.New(context.Background(),
		resource.WithTelemetrySDK(),
		resource.WithHostID(),
		resource.WithSchemaURL(semconv.SchemaURL),
		resource.WithAttributes(
			semconv.ServiceName("systole"),
			semconv.ServiceNamespace(id.Cluster),
			semconv.ServiceInstanceID(id.InstanceID),
			semconv.ServiceVersion(id.Version),
			semconv.HostName(id.Node),
		),
		resource.WithFromEnv(),
	)
	if errors.Is(err, resource.ErrPartialResource) {
		err = nil // a machine without an id is still a machine
	}
	return r, err
}
