package script

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/systole-ha/systole/resources"
)

// Check looks for the script, and for what is to interpret it. It does not run
// it: nobody knows what else than start, stop and status a script would do.
func (d *Driver) Check(_ context.Context, s resources.Spec) []resources.Finding {
	path, err := d.folders.Find(s.Name)
	if err != nil {
		return []resources.Finding{{Fatal: true, Text: err.Error() + "; " + instead(s)}}
	}
	if err := runnable(path); err != nil {
		return []resources.Finding{{Fatal: true, Text: fmt.Sprintf("%s cannot be run: %v", path, err)}}
	}
	if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o022 != 0 {
		return []resources.Finding{{Text: fmt.Sprintf("%s can be written by others than root, as whom it is run: chmod go-w %s", path, path)}}
	}
	return nil
}

// instead is what to do where there is no script.
func instead(s resources.Spec) string {
	if known, ok := Known[s.Name]; ok {
		return fmt.Sprintf("%s: install it, or %s", known.Does, known.Instead)
	}
	if len(s.Args) == 0 {
		return "install it, or a unit of that name"
	}
	unit := s.Name + "@" + strings.Join(s.Args, "-")
	if strings.Contains(unit, "/") {
		unit = s.Name + "-1"
	}
	return fmt.Sprintf("install it, or write a unit that has the arguments in it, such as %s, and name that", unit)
}

// longestLine is the first line of a script that the kernel reads, in bytes
// (execve(2)).
const longestLine = 255

// runnable wants the interpreter that a script names to be there.
func runnable(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	first, _ := bufio.NewReaderSize(f, longestLine+1).ReadSlice('\n') // as much as there is
	line, isScript := strings.CutPrefix(string(first), "#!")
	if !isScript {
		if strings.HasPrefix(string(first), "\x7fELF") {
			return nil
		}
		return errors.New("it has no first line that names an interpreter, such as #!/bin/sh")
	}
	words := strings.Fields(line)
	if len(words) == 0 {
		return errors.New("its first line names no interpreter")
	}
	if strings.HasSuffix(strings.TrimSuffix(line, "\n"), "\r") {
		return errors.New("its lines end as those of Windows do")
	}
	if _, err := os.Stat(words[0]); err != nil {
		return fmt.Errorf("its interpreter: %w", err)
	}
	return nil
}

// A Hint is what one of heartbeat's resource scripts does, and what could be
// written instead.
type Hint struct{ Does, Instead string }

const (
	asUnit  = "write a systemd unit that does it, and name that"
	noAlert = "remove it; alerts on takeovers are what the metrics and the journal are for"
)

// Known are the scripts of resource.d in heartbeat 3.0.6, of DRBD, and of earlier
// versions of both.
var Known = map[string]Hint{
	"drbdupper":         {"it switches a stacked DRBD device", "write a oneshot unit that runs drbdadm primary, and drbdadm secondary to stop, and name that"},
	"LVM":               {"it activates a volume group", asUnit},
	"Raid1":             {"it assembles a software RAID", asUnit},
	"LinuxSCSI":         {"it attaches a SCSI device", asUnit},
	"ServeRAID":         {"it switches an IBM ServeRAID controller", asUnit},
	"ICP":               {"it switches an ICP Vortex controller", asUnit},
	"EvmsSCC":           {"it activates shared EVMS containers", asUnit},
	"WinPopup":          {"it sends a message at every takeover", noAlert},
	"AudibleAlarm":      {"it sounds an alarm while this node holds the group", noAlert},
	"Xinetd":            {"it switches a service of xinetd", "write a socket unit, and name that"},
	"LVSSyncDaemonSwap": {"it swaps the roles of the LVS synchronisation daemons", asUnit},
	"ldirectord":        {"it runs ldirectord with a configuration of its own", "write ldirectord.service without arguments, or a unit that has them in it"},
	"WAS":               {"it runs IBM WebSphere", asUnit},
	"db2":               {"it runs IBM DB2", asUnit},
	"ids":               {"it runs IBM Informix", asUnit},
}
