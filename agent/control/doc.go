// Package control is the local socket of a node: its server in the daemon, its
// client in cl_status, hb_standby, hb_takeover and systole itself.
//
// # The socket
//
// A stream socket, /run/systole/control.sock unless configured otherwise, mode
// 0660 and root's: who may open it may move groups. The kernel tells whose
// process is at the other end (SO_PEERCRED), and that user is recorded with
// every request that changes something.
//
// # The conversation
//
// One request a connection: a line of JSON, at most 4096 bytes with its
// newline. The answer is one line of JSON; of an event stream, many. Every
// request and every first line of an answer says "protocol": 1. Members may be
// added to answers within a protocol, so clients skip what they do not know; a
// request with a member that this server does not know is refused, because to
// ignore half of a wish is to fulfil another one.
//
//	{"protocol":1,"request":"status"}
//	{"protocol":1,"status":{…}}                               see Status
//
//	{"protocol":1,"request":"move","kind":"standby","scope":"all"}
//	{"protocol":1,"move":{"accepted":false,"reason":"beta is dead"}}
//
//	{"protocol":1,"request":"fence","kind":"confirm","name":"beta"}
//	{"protocol":1,"move":{"accepted":false,"reason":"beta is heard: it is not off"}}
//
//	{"protocol":1,"request":"parameter","name":"deadtime"}
//	{"protocol":1,"parameter":{"known":true,"value":"10"}}
//
//	{"protocol":1,"request":"ready"}
//	{"protocol":1,"ready":{"judged":true,"ready":false,"checks":[{"check":"disk","ready":false,"reason":"…"},…]}}
//
//	{"protocol":1,"request":"events","since":17,"follow":true,"severity":"warning"}
//	{"protocol":1,"events":{"generation":42,"oldest":3,"newest":90}}
//	{"event":{"sequence":18,"time":"…","cluster":"web","node":"alpha","kind":"peer.dead",
//	          "severity":"critical","text":"peer.dead peer=beta …","fields":{"peer":"beta",…}}}
//	{"missed":{"count":12,"before":160}}
//	{"alive":true}
//	{"end":true}
//
//	{"protocol":1,"error":{"code":"bad_request","message":"…"}}
//
// A move is answered when the peer has said yes or no, which can take ten
// seconds. Its kind is standby (give groups to the peer) or takeover (ask the
// peer for them), its scope all, local or foreign as this node sees it.
//
// A request about fencing is answered at once. Its kind is fence (try now what
// would be tried later) or confirm (a person knows that the node is off), its
// name the node's.
//
// Readiness is looked at anew, which takes a second, or longer where something
// hangs. Judged is false, and a reason given, while this node does not yet take
// part in the cluster.
//
// An event stream begins behind the sequence number since. The server keeps the
// last 4096 events above the severity "sample"; numbers count samples too, so
// they have gaps. Without follow the stream stops after the newest with an end
// line; with follow it goes on, and an alive line comes whenever nothing else
// has for five seconds. A reader too slow to keep up loses the oldest events,
// never the newest, and a missed line says how many; count is 0 where only it
// is known that some are gone. Numbers start again when the daemon does:
// generation tells one start from the next.
//
// Error codes: bad_request, busy (64 connections, 32 of them event streams),
// timed_out (the node did not answer the server) and unavailable (it is
// stopping).
package control
