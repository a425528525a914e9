package traces

import (
	"context"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/systole-ha/systole/exporters/internal/collector"
)

// ErrExporter is wrapped by what New says of an exporter it does not have.
var ErrExporter = collector.ErrExporter

// exporterOf makes the exporter that the environment asks for; nil where it asks
// for none. It does not try again: the courier does.
func exporterOf(complaints *complaints) (otlptrace.Client, error) {
	protocol, err := collector.Protocol("TRACES")
	if protocol == "" || err != nil {
		return nil, err
	}
	otel.SetLogger(logr.New(complaints))
	if protocol == collector.GRPC {
		return started(otlptracegrpc.NewClient(otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{})))
	}
	return started(otlptracehttp.NewClient(otlptracehttp.WithRetry(otlptracehttp.RetryConfig{})))
}

// started opens the connection; it does not wait for a collector.
func started(client otlptrace.Client) (otlptrace.Client, error) {
	if err := client.Start(context.Background()); err != nil {
		return nil, err
	}
	return client, nil
}

// resourceOf is who we are on every span.
func resourceOf(cfg Config) (*resource.Resource, error) {
	return collector.Resource(collector.Identity{Cluster: cfg.Cluster, Node: cfg.Node, Version: cfg.Version, InstanceID: cfg.InstanceID})
}
