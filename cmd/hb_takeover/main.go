// Hb_takeover asks the other node for groups, as heartbeat's script of that
// name does:
//
//	hb_takeover [--wait[=TIME]] [all|foreign|local|failback]
//
// Local groups are those that prefer this node, foreign the others; failback is
// another word for local, and nothing means all. Heartbeat's script takes the
// word failback too, but the other node does not know it there and gives
// everything away. The daemon is asked at $SYSTOLE_CONTROL, else at
// /run/systole/control.sock.
//
// Exit codes are heartbeat's: 0 once the request was made, also when it is
// refused; 1 for a wrong command line. On stderr stands what became of the
// request, where heartbeat only writes it to the refusing node's log. With the
// daemon stopped it fails at once with 1, where heartbeat waits for ever. With
// --wait, which is systole's own, it waits until the groups have moved (ten
// minutes, or TIME), says how many milliseconds that took, and exits with 1 if
// the request is refused or a group did not get here.
package main

import (
	"context"
	"os"

	"github.com/systole-ha/systole/agent/control/movecmd"
)

var command = movecmd.Command{
	Kind: "takeover", Failback: "local", Verb: "gives",
	Help: `
Asks the other node for groups.
  local     those that prefer this node; failback is the same, where heartbeat
            moves everything
  foreign   those that prefer the other one
  all       both; so does no word
  --wait[=TIME]   wait until they have moved, at most 10m or TIME, and say how
                  long it took; exit 1 if they have not
The daemon is asked at $SYSTOLE_CONTROL, else at /run/systole/control.sock.
`,
}

func main() {
	os.Exit(command.Run(context.Background(), os.Args, os.Stdout, os.Stderr))
}
