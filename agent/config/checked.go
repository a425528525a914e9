package config

import (
	"path"
	"slices"
	"strings"
)

// The values that are only checked.

func isBool(_ *haCf, v string) *problem {
	if _, err := ParseBool(v); err != nil {
		return bad("", "%v", err)
	}
	return nil
}

func isTime(_ *haCf, v string) *problem {
	if _, err := ParseTime(v); err != nil {
		return bad("", "%v", err)
	}
	return nil
}

func isNumber(what string, lowest, highest int) func(*haCf, string) *problem {
	return func(_ *haCf, v string) *problem {
		_, p := parseNumber(what, v, lowest, highest)
		return p
	}
}

func isOneOf(words ...string) func(*haCf, string) *problem {
	return func(_ *haCf, v string) *problem { return oneOf(v, words...) }
}

// isFacility accepts the facilities of syslog(3), and none.
func isFacility(_ *haCf, v string) *problem {
	return oneOf(v, "none", "auth", "authpriv", "cron", "daemon", "ftp", "kern", "lpr", "mail", "news", "syslog", "user", "uucp",
		"local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7")
}

func isAssignment(_ *haCf, v string) *problem {
	if strings.Index(v, "=") < 1 {
		return bad("write NAME=value", "%s sets nothing", printable(v))
	}
	return nil
}

func isNone(_ *haCf, v string) *problem {
	if v == "any" || v == "other" {
		return bad("write autojoin none and a node directive for each of the two nodes", "nodes do not join by themselves in a cluster that haresources describes")
	}
	return oneOf(v, "none", "other", "any")
}

func isNoPacemaker(_ *haCf, v string) *problem {
	if on, err := ParseBool(v); err == nil && !on {
		return nil
	}
	return bad("write off and describe the resources in haresources, or run Pacemaker on corosync", "systole does not run Pacemaker's resource manager")
}

func (h *haCf) setWatchdog(v string) *problem {
	if line := h.cfg.lines["watchdog"]; line != 0 {
		return bad("", "given before, on line %d", line)
	}
	if !path.IsAbs(v) {
		return bad("write /dev/watchdog or the like", "%s is no absolute path", printable(v))
	}
	h.cfg.Watchdog = v
	if h.member && h.host.Serial != nil && h.host.Serial(v) != nil {
		return odd("load the driver of the board's watchdog, or softdog", "this machine has no such device: a node that hangs is not reset")
	}
	return nil
}

// checkAPIAuth checks what heartbeat would: client uid=… gid=…, once a client.
func (h *haCf) checkAPIAuth(args []string) *problem {
	if p := arguments(args, "client", "uid=user or gid=group"); p != nil {
		return p
	}
	for _, a := range args[1:] {
		if !strings.HasPrefix(a, "uid=") && !strings.HasPrefix(a, "gid=") {
			return bad("write uid=user or gid=group", "%s is neither a user nor a group", printable(a))
		}
	}
	if h.clients[args[0]] {
		return bad("", "a second line for %s", printable(args[0]))
	}
	h.clients[args[0]] = true
	return nil
}

// apiClients are programs that come with heartbeat and need its client API,
// which systole does not offer.
var apiClients = []string{"attrd", "ccm", "cib", "cibmon", "crmd", "dopd", "hbagent", "lrmd", "mgmtd", "pingd", "quorumd", "stonithd"}

// checkRespawn judges respawn and failfast: user and command. A program of
// heartbeat's own is done without; one of the operator's own would be missed,
// so the configuration is refused until somebody else starts it.
func (h *haCf) checkRespawn(args []string) *problem {
	if p := arguments(args, "user", "command"); p != nil {
		return p
	}
	command := args[1]
	if command[0] != '/' {
		return bad("", "%s is no full path", printable(command))
	}
	switch program := path.Base(command); {
	case program == "ipfail":
		h.cfg.IPFail = true
		h.cfg.lines["ipfail"] = h.line
		return &problem{Note, "ipfail is not started: systole does what it does", ""}
	case slices.Contains(apiClients, program):
		return odd("remove the line", "%s is not started: it needs heartbeat's client API", program)
	}
	return bad("make it a systemd unit with User="+printable(args[0])+" and Restart=always, enable that, and remove the line",
		"%s is not started: systole starts no programs but units of haresources", printable(command))
}
