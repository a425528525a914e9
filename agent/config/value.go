package config

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// ErrTime is wrapped by every error of ParseTime.
var ErrTime = errors.New("not a time")

// units are what may follow a number, in any case. Heartbeat knows the first
// six; "s" and "m" are ours.
var units = map[string]time.Duration{
	"ms": time.Millisecond, "msec": time.Millisecond, "msecs": time.Millisecond,
	"us": time.Microsecond, "usec": time.Microsecond, "usecs": time.Microsecond,
	"": time.Second, "s": time.Second, "m": time.Minute,
}

// maxTime is the longest time there is: 2^31 ms less one, what a node with a
// 32-bit long can hold of the deadtime that its peer announces.
const maxTime = math.MaxInt32 * time.Millisecond

// ParseTime reads a time as ha.cf writes it: a number of seconds, or of
// milliseconds or microseconds where "ms" or "us" follows it. Fractions are
// allowed, so "1.5" and "1500ms" are the same. The result is a whole number of
// milliseconds, rounded half up, and never negative. "10s" and "2m" are
// understood too, which heartbeat refuses.
//
// Every error wraps ErrTime.
//
// Source: cl_get_msec in cluster-glue's lib/clplumbing/cl_misc.c, which
// heartbeat 3.0.6 calls for keepalive, warntime, deadtime and initdead.
func ParseTime(s string) (time.Duration, error) {
	digits := len(s) - len(strings.TrimLeft(s, "0123456789."))
	number, suffix := s[:digits], strings.ToLower(s[digits:])
	unit, ok := units[suffix]
	value, err := strconv.ParseFloat(number, 64)
	if err != nil || !ok {
		return 0, fmt.Errorf("%w: %s", ErrTime, printable(s))
	}
	ms := math.Floor(value*float64(unit)/float64(time.Millisecond) + 0.5)
	if ms > float64(maxTime/time.Millisecond) {
		return 0, fmt.Errorf("%w: %s is more than 24 days", ErrTime, printable(s))
	}
	return time.Duration(ms) * time.Millisecond, nil
}

// ErrBool is wrapped by every error of ParseBool.
var ErrBool = errors.New("neither on nor off")

// ParseBool reads on or off as ha.cf writes them: also yes, true, y, 1 and no,
// false, n, 0, in any case. Source: cl_str_to_boolean in cl_misc.c.
func ParseBool(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "on", "yes", "true", "y", "1":
		return true, nil
	case "off", "no", "false", "n", "0":
		return false, nil
	}
	return false, fmt.Errorf("%w: %s", ErrBool, printable(s))
}

// parseNumber reads a whole number in decimal from lowest to highest.
func parseNumber(what, s string, lowest, highest int) (int, *problem) {
	n, err := strconv.Atoi(s)
	if err != nil || n < lowest || n > highest {
		return 0, bad("", "%s is no %s (%d to %d)", printable(s), what, lowest, highest)
	}
	return n, nil
}

// oneOf accepts the given words and no other.
func oneOf(s string, words ...string) *problem {
	for _, w := range words {
		if s == w {
			return nil
		}
	}
	return bad(didYouMean(s, words), "%s is not one of %s", printable(s), strings.Join(words, ", "))
}

// blanks separate words everywhere; values in ha.cf may have commas instead.
const blanks = " \t\f\v"

// words splits a text at any of the separators; empty words do not count.
func words(text, separators string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(separators, r) })
}

// stripLine is a line as heartbeat reads it: up to the comment, and up to the
// carriage return that an editor of another system may have left.
func stripLine(line string) string {
	line, _, _ = strings.Cut(line, "#")
	line, _, _ = strings.Cut(line, "\r")
	return strings.Trim(line, blanks)
}
