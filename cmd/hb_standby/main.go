// Hb_standby gives groups to the other node and leaves them there, as
// heartbeat's script of that name does:
//
//	hb_standby [--wait[=TIME]] [all|foreign|local|failback]
//
// Local groups are those that prefer this node, foreign the others; failback is
// another word for foreign, and nothing means all. The daemon is asked at
// $SYSTOLE_CONTROL, else at /run/systole/control.sock.
//
// Exit codes are heartbeat's: 0 once the request was made, also when it is
// refused; 1 for a wrong command line. On stderr stands what became of the
// request, where heartbeat only writes it to the refusing node's log. With the
// daemon stopped it fails at once with 1, where heartbeat waits for ever. With
// --wait, which is systole's own, it waits until the groups have moved (ten
// minutes, or TIME), says how many milliseconds that took, and exits with 1 if
// the request is refused or a group did not get there.
package main

import (
	"context"
	"os"

	"github.com/systole-ha/systole/agent/control/movecmd"
)

var command = movecmd.Command{
	Kind: "standby", Failback: "foreign", Verb: "takes", Announce: "Going standby [%s].",
	Help: `
Gives groups to the other node and leaves them there.
  local     those that prefer this node
  foreign   those that prefer the other one; failback is the same
  all       both; so does no word
  --wait[=TIME]   wait until they have moved, at most 10m or TIME, and say how
                  long it took; exit 1 if they have not
The daemon is asked at $SYSTOLE_CONTROL, else at /run/systole/control.sock.
`,
}

func main() {
	os.Exit(command.Run(context.Background(), os.Args, os.Stdout, os.Stderr))
}
