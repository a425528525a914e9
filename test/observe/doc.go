// Package observe holds what systole shows to what happens: whole nodes in the
// lab, Debian's Prometheus and Alertmanager beside them with the files that are
// shipped, and a client outside who asks every 2 ms. What is claimed, which
// test proves it, and what was seen stand in docs/observability.md.
package observe
