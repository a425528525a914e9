// Package link is the media heartbeats travel on: broadcast, multicast and
// unicast datagrams over IPv4 and IPv6, serial lines, and ICMP echoes to ping
// nodes. A link carries bytes, stamps their arrival, checks their signature
// and decodes them. Sequence numbers, copies, retransmission and the judgement
// of silence are not its business.
//
// Three rules make a link safe to judge a peer by.
//
// A packet is stamped when the kernel got it, not when we came round to reading
// it, and the stamp is on the monotonic clock: neither a pause of this process
// nor a step of the wall clock can look like a silence of the peer.
//
// Drain reads what waits in the kernel at this instant without waiting for the
// goroutine whose work that is, so that nobody is declared dead over a packet
// that had already arrived.
//
// A link waits rather than fails. An interface that is not there yet, goes
// away, comes back as another one or changes its address is a state, reported
// by Handler.Changed, and the link goes on by itself when it can.
package link
