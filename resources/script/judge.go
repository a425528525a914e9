package script

import (
	"regexp"
	"strings"
)

// A verdict is what the text that a script prints says of its resource.
type verdict int

const (
	doesNot verdict = iota
	runs
	silent // nothing: the script has no status
)

// notRunning and running are Heartbeat's patterns. What they look for may be
// anywhere in the text, and "not" anywhere before "running".
//
// Source: we_own_resource in ResourceManager of Heartbeat 3.0.6.
var (
	notRunning = regexp.MustCompile(`(?s)[Nn][Oo][Tt] .*[Rr]unning`)
	running    = regexp.MustCompile(`[Rr]unning|OK`)
)

// judge reads what a script has printed to its standard output; its exit status
// does not matter. Everything that does not say that the resource runs says that
// it does not, as in Heartbeat, but for nothing at all and a usage.
func judge(text string) verdict {
	switch {
	case notRunning.MatchString(text):
		return doesNot
	case running.MatchString(text):
		return runs
	case strings.TrimSpace(text) == "" || strings.HasPrefix(strings.ToLower(strings.TrimSpace(text)), "usage"):
		return silent
	}
	return doesNot
}
