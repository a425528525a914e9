package config

import (
	"cmp"
	"fmt"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The values that are obeyed.

func (h *haCf) setKeepalive(v string) *problem {
	return h.setTime(&h.cfg.Keepalive, v, time.Millisecond)
}
func (h *haCf) setDeadtime(v string) *problem { return h.setTime(&h.cfg.Deadtime, v, 0) }
func (h *haCf) setWarntime(v string) *problem { return h.setTime(&h.cfg.Warntime, v, time.Millisecond) }
func (h *haCf) setInitdead(v string) *problem { return h.setTime(&h.cfg.Initdead, v, 0) }
func (h *haCf) setDeadping(v string) *problem { return h.setTime(&h.cfg.Deadping, v, 0) }

// setTime reads a time that is no shorter than the least.
func (h *haCf) setTime(field *time.Duration, v string, least time.Duration) *problem {
	t, err := ParseTime(v)
	switch {
	case err != nil:
		return bad("write 10 or 10s for seconds, 500ms, 2m, without a blank before the unit", "%v", err)
	case t < least:
		return bad("", "%s is too short to be a time", printable(v))
	}
	*field = t
	if unit := strings.ToLower(strings.TrimLeft(v, "0123456789.")); unit == "s" || unit == "m" {
		return &problem{Note, fmt.Sprintf("heartbeat does not understand %s", v), "write " + heartbeatTime(t) + " if one reads this file too"}
	}
	return nil
}

// heartbeatTime is a time as heartbeat reads it, too.
func heartbeatTime(t time.Duration) string {
	if t%time.Second == 0 {
		return strconv.Itoa(int(t / time.Second))
	}
	return strconv.Itoa(int(t/time.Millisecond)) + "ms"
}

// setBaud obeys baud for the serial lines that follow. Heartbeat reads it when
// it meets the first serial line; it may be given once.
func (h *haCf) setBaud(v string) *problem {
	if !slices.Contains(bauds, v) {
		return bad(nearestBaud(v), "%s is no serial speed", printable(v))
	}
	if h.cfg.lines["baud"] != 0 {
		return bad("", "given before, on line %d", h.cfg.lines["baud"])
	}
	baud, _ := strconv.Atoi(v) // one of bauds
	for _, l := range h.cfg.Links {
		if l.Kind == Serial && l.Baud != baud {
			return odd("move it above serial", "comes too late: serial on line %d keeps %d, as with heartbeat", l.Line, l.Baud)
		}
	}
	h.baud = baud
	return nil
}

// nearestBaud is the hint to a number that is no speed.
func nearestBaud(v string) string {
	n, err := strconv.Atoi(v)
	if err != nil {
		return "there are " + strings.Join(bauds, ", ")
	}
	nearest := slices.MinFunc(bauds, func(a, b string) int { return cmp.Compare(baudDistance(n, a), baudDistance(n, b)) })
	return "did you mean " + nearest + "?"
}

func baudDistance(n int, baud string) float64 {
	b, _ := strconv.Atoi(baud)
	return math.Abs(float64(n) - float64(b))
}

// setPort obeys udpport for the links that follow.
func (h *haCf) setPort(v string) *problem {
	port, p := parseNumber("port", v, 1, 65535)
	if p != nil {
		return p
	}
	h.cfg.UDPPort = uint16(port)
	for _, l := range h.cfg.Links {
		if (l.Kind == Bcast || l.Kind == Ucast || l.Kind == Ucast6) && l.Port != uint16(port) {
			return odd("move it above "+string(l.Kind), "comes too late: %s on line %d keeps %d, as with heartbeat", l.Kind, l.Line, l.Port)
		}
	}
	return nil
}

func (h *haCf) setRetransmitDelay(v string) *problem {
	ms, p := parseNumber("number of milliseconds", v, 1, 1<<30)
	if p == nil {
		h.cfg.RetransmitDelay = time.Duration(ms) * time.Millisecond
	}
	return p
}

func (h *haCf) setHopFudge(v string) *problem {
	n, err := strconv.Atoi(v)
	if err != nil {
		h.cfg.HopFudge = 0
		return odd("", "%s is no number and counts as 0, as with heartbeat", printable(v))
	}
	if n < 0 || n > 255 {
		return bad("", "%d is not between 0 and 255", n)
	}
	h.cfg.HopFudge = n
	return nil
}

func (h *haCf) setMessageFormat(v string) *problem {
	p := oneOf(v, "classic", "netstring")
	if p == nil {
		h.cfg.InnerAuth = v == "classic"
	}
	return p
}

func (h *haCf) setRealtime(v string) *problem {
	if err := setBool(&h.cfg.Realtime, v); err != nil {
		return bad("", "%v", err)
	}
	return nil
}

func (h *haCf) setRealtimePriority(v string) *problem {
	n, p := parseNumber("real-time priority", v, 1, 99)
	if p == nil {
		h.cfg.RealtimePriority = n
	}
	return p
}

func (h *haCf) setCluster(v string) *problem {
	if !visible(v) {
		return bad("", "%s has a character in it that cannot be shown", printable(v))
	}
	h.cfg.Cluster = v
	return nil
}

// setAutoFailback obeys on and off, and runs legacy as on.
func (h *haCf) setAutoFailback(v string) *problem {
	on, err := ParseBool(v)
	switch {
	case err == nil:
		h.cfg.AutoFailback, h.legacy = on, false
		return nil
	case strings.EqualFold(v, "legacy"):
		h.cfg.AutoFailback, h.legacy = true, true
		return odd("write on or off on both nodes", "legacy runs as on: systole does not speak heartbeat's legacy protocol")
	}
	return bad("write on or off", "%v", err)
}

// setNiceFailback does what heartbeat makes of the directive that came before
// auto_failback, whichever value it has.
func (h *haCf) setNiceFailback(v string) *problem {
	if _, err := ParseBool(v); err != nil {
		return bad("write auto_failback on or off instead", "%v", err)
	}
	meaning := "legacy, which runs as on"
	if h.legacy {
		h.cfg.AutoFailback = true
	} else {
		h.cfg.AutoFailback, meaning = false, "off"
	}
	h.cfg.lines["auto_failback"] = h.line
	return odd("write auto_failback on or off instead", "obsolete: counts as auto_failback %s", meaning)
}

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

func (h *haCf) checkWatchdog(string) *problem {
	if line := h.cfg.lines["watchdog"]; line != 0 {
		return bad("", "given before, on line %d", line)
	}
	return nil
}

func stonithArguments(names ...string) func(*haCf, []string) *problem {
	return func(_ *haCf, args []string) *problem { return arguments(args, names...) }
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
		return odd("", "moving groups when ping nodes are lost comes with a later version: ping nodes are watched, but decide nothing")
	case slices.Contains(apiClients, program):
		return odd("remove the line", "%s is not started: it needs heartbeat's client API", program)
	}
	return bad("make it a systemd unit with User="+printable(args[0])+" and Restart=always, enable that, and remove the line",
		"%s is not started: systole starts no programs but units of haresources", printable(command))
}
