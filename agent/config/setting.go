package config

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The values that are obeyed; those that are only checked are in checked.go.

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

func (h *haCf) setRealtime(v string) *problem {
	if err := setBool(&h.cfg.Realtime, v); err != nil {
		return bad("", "%v", err)
	}
	return nil
}

func (h *haCf) setFlightRecorder(v string) *problem {
	if err := setBool(&h.cfg.FlightRecorder, v); err != nil {
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
