// Package interop holds systole against Debian's heartbeat 3.0.6: the two are
// the nodes of one cluster, in nine configurations, through all that a cluster
// does in its life. Every step asks the kernels who holds what, both nodes'
// cl_status, both nodes' logs, and a client.
package interop
