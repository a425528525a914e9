package drbd

import (
	"errors"
	"fmt"
	"strings"

	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/process"
)

// Exit codes of drbdsetup, which drbdadm passes on (print_config_error in
// user/shared and user/v84 of drbd-utils), and of drbdadm itself (its
// drbdadm.h). 8.3, 8.4 and 9 have the same.
const (
	notDefined   = 1  // drbdadm: no such resource in the configuration
	outdated     = 5  // the disk was inconsistent anyway
	refusedCall  = 10 // the kernel: no such resource or device; drbdadm: a wrong configuration
	refusedState = 11 // the change of state was refused
	noDisk       = 16 // there is no local disk
	noData       = 17 // no disk with data that are up to date, or the peer cannot be outdated
	cannotRun    = 20 // the kernel has no DRBD, or the call was wrong
)

// passes reports whether a refusal may be over in a moment: the peer gives up
// the role, or the connection to it is not made or not known to be lost yet.
func passes(code int) bool { return code == refusedState || code == noData }

// reasons say what to do about a code, where what the program says does not.
var reasons = map[int]string{
	notDefined:   "is it in /etc/drbd.d on this node?",
	refusedCall:  "is it up? run \"drbdadm up\"",
	noDisk:       "its disk is not attached: run \"drbdadm attach\"",
	noData:       "its data here are not known to be up to date, and those of the peer cannot be reached",
	refusedState: "",
	cannotRun:    "is the kernel module loaded?",
}

func explain(r process.Result) error {
	if r.Code == 0 {
		return nil
	}
	text := fmt.Sprintf("exit status %d", r.Code)
	if said := complaint(r.Output); said != "" {
		text += ": " + said
	}
	if hint := reasons[r.Code]; hint != "" {
		text += " (" + hint + ")"
	}
	return errors.New(text)
}

// complaint is the line of what drbdadm says that tells why something failed:
// that of the kernel's refusal, else the last of its own but for the one that
// repeats the exit status.
func complaint(output string) (said string) {
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		switch {
		case strings.Contains(line, "State change failed:"), strings.Contains(line, "Failure:"):
			return process.LastLine(line) // which shortens it
		case line != "" && !strings.HasPrefix(line, "Command '"):
			said = process.LastLine(line)
		}
	}
	return said
}

// readRoles reads what "drbdadm role" prints: a line for each resource, or for
// each volume up to 8.4, of this node's role and, up to 8.4, that of the peer:
// "Primary/Secondary", "Primary". Of several resources all must be Primary.
// Other lines are warnings.
func readRoles(output string) (resources.Status, error) {
	primary, others := 0, 0
	for line := range strings.Lines(output) {
		role, _, _ := strings.Cut(strings.TrimSpace(line), "/")
		switch role {
		case "Primary":
			primary++
		case "Secondary", "Unconfigured":
			others++
		}
	}
	switch {
	case primary > 0 && others > 0:
		return resources.Failed, nil
	case primary > 0:
		return resources.Running, nil
	case others > 0:
		return resources.Stopped, nil
	}
	return resources.Unknown, fmt.Errorf("drbdadm tells no role, but %q", process.LastLine(output))
}
