// Package lab boots real nodes on one machine, breaks them, and measures what a
// client notices. The end-to-end tests, the demo and developers use it; it
// knows nothing of the agent and drives programs from outside.
//
//	func TestTakeover(t *testing.T) {
//		l := lab.New(t) // alpha and beta, up; closed when the test ends
//		watch, _ := l.Watch()
//		…
//		probe, _ := l.Probe(lab.Question{URL: "http://192.0.2.50/"})
//		off, _ := l.Node("alpha").PowerOff()
//		since, _ := watch.AwaitHolder(ctx, netip.MustParseAddr("192.0.2.50"), "beta")
//		probe.AwaitAnswer(ctx, "beta")
//		result, _ := probe.Stop()
//		t.Logf("taken over after %v, out for %v", since.Sub(off), result.Longest())
//	}
//
// Programs use Open and Close; by hand there is the command in cmd/lab.
//
// # What is built
//
//	            switch0: eth0, 192.0.2.0/24, 2001:db8::/64
//	   ┌──────────────┬──────────────┬─ ─ ─
//	client .100    alpha .1       beta .2
//	                  ├──────────────┼─ ─ ─
//	            switch1: eth1, 198.51.100.0/24, 2001:db8:1::/64
//	                  └── /dev/ttyS9 ┘  with WithSerial
//
// A node is a systemd-nspawn container over an overlay of this machine's root:
// it has every package that is installed here and its own systemd, D-Bus,
// journal and network namespace. What it writes is kept in memory. Nothing that
// this machine starts at boot starts in a node, and configuration of clusters is
// removed from its disk; a test installs and starts what it needs (Node.Install,
// Node.Configure, Node.Start). A node has all capabilities but those for the
// clock and for kernel modules, and real-time priority where this machine has.
//
// Each node is booted in a control group of its own. Booted from one, all nodes
// would share a single tree, and systemd in one would count and kill the
// processes of the others. The version 2 tree is used, and mounted if need be.
//
// The switches are bridges in a namespace, so frames pass in the kernel. A veth
// differs from a network card in that its node learns of a lost carrier at once;
// a card's message may be up to a second late after another.
//
// # What can be broken
//
//   - Node.PowerOff: all links cut at one instant, then SIGKILL to everything.
//     Boot switches on again with the disk kept; Wipe forgets it. (What was
//     written but not synced is kept, too.) Shutdown is the orderly way.
//   - Node.Cut, Lose, Heal: frames vanish one way or both, all or a fraction
//     (nftables in the switch). The carrier stays.
//   - Lab.Part, Join: frames from one host to another vanish, and nobody else's.
//   - Node.Delay: frames are late, by a process that carries them between the
//     node's cable and the switch; 20 ms there and back came out as 20.3 ms.
//   - Node.Carrier: the cable is pulled.
//   - Node.Freeze, Thaw: user space stands still (the freezer of control groups).
//     The kernel goes on: addresses answer ping and ARP, and expire.
//   - Node.Signal: to all processes of a unit.
//   - Node.Starve: the kernel's out-of-memory killer takes a unit's processes.
//
// # What is measured
//
// Watch tells who held an address when, how long two at once and how long
// nobody, from the kernels' own messages. Probe asks over HTTP, TCP or ICMP
// every 2 ms from the client and tells the gaps between answers, and how late it
// was itself. Both are processes at real-time priority outside the lab's program,
// and stamp with the monotonic clock of the machine, as do the instants that the
// lab returns. On a service that does not fail, on a virtual machine with two cores
// of which the hypervisor took up to a fifth, the longest gap of 3000 questions
// was 4 to 20 ms, most of it the prober's own lateness, which the result tells;
// with other work on both cores up to 50 ms for HTTP, since nginx waits for a core
// like everybody else.
//
// Census asks all nodes at once who answers for an address: a second holder that
// a Probe would never learn of, and one that a firewall keeps silent.
//
// Heartbeat and Keepalived configure and start the rivals, to be measured by the
// same test.
//
// # What is left behind
//
// Nothing. Close removes processes, mounts, namespaces, control groups and
// directories, all named systole-lab-ID or in /run/systole-lab/ID. If the
// program is killed, a guard process does it; if that is killed too, the next
// Open (or Sweep) does, which knows a dead lab by the lock that nobody holds.
// Any number of labs can be up at once; their addresses are the same and do not
// meet.
//
// # What it needs
//
// Root, Linux 5.14 (cgroup.kill), and the Debian packages in Packages, which
// `lab deps --install` installs.
package lab
