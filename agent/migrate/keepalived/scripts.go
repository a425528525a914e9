package keepalived

import (
	"net/netip"
	"path"
	"slices"
	"strings"
)

// A service is what a command of init starts or stops.
type service struct{ name, verb string }

// serviceOf finds the service that a command starts or stops, and nothing
// else: systemctl start nginx, service nginx start, /etc/init.d/nginx start.
func serviceOf(text string) (service, bool) {
	words := plainWords(text)
	if words == nil {
		return service{}, false
	}
	program := path.Base(words[0])
	switch {
	case program == "systemctl" && len(words) == 3:
		return asService(words[2], words[1])
	case slices.Contains([]string{"service", "invoke-rc.d", "rc-service"}, program) && len(words) == 3:
		return asService(words[1], words[2])
	case (strings.HasPrefix(words[0], "/etc/init.d/") || strings.HasPrefix(words[0], "/etc/rc.d/init.d/")) && len(words) == 2:
		return asService(program, words[1])
	}
	return service{}, false
}

func asService(name, verb string) (service, bool) {
	if verb == "restart" || verb == "reload-or-restart" {
		verb = "start" // on taking over: it ran with other addresses, or not at all
	}
	return service{strings.TrimSuffix(name, ".service"), verb}, (verb == "start" || verb == "stop") && isUnitName(name)
}

// isUnitName reports whether a word may be the name of a unit: it has nothing
// of a shell in it.
func isUnitName(name string) bool {
	return name != "" && name[0] != '-' && !strings.ContainsFunc(name, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.@", r)
	})
}

// plainWords are the words of a command without its options, with sudo, timeout
// and the shell that was to run it taken off; nil where it is more than one
// command.
func plainWords(text string) (words []string) {
	if text == "" || strings.ContainsAny(text, "|&;<>`$(){}\n") {
		return nil
	}
	for _, w := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t\"'", r) }) {
		if !strings.HasPrefix(w, "-") || len(words) == 0 {
			words = append(words, w)
		}
	}
	for len(words) > 1 && slices.Contains([]string{"sudo", "sh", "bash"}, path.Base(words[0])) {
		words = words[1:]
	}
	return words
}

// watchedService is the service whose life a check asks for, and nothing else:
// killall -0 haproxy, pidof nginx, systemctl is-active apache2.
func watchedService(text string) (string, bool) {
	words := plainWords(strings.TrimSuffix(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "2>&1")), ">/dev/null"))
	if len(words) < 2 {
		return "", false
	}
	last := words[len(words)-1]
	switch program := path.Base(words[0]); {
	case program == "killall" && len(words) == 2 && strings.Contains(text, " -0"),
		slices.Contains([]string{"pidof", "pgrep"}, program) && len(words) == 2,
		program == "systemctl" && len(words) == 3 && (words[1] == "is-active" || words[1] == "status"):
		return strings.TrimSuffix(last, ".service"), isUnitName(last)
	case program == "service" && len(words) == 3 && last == "status":
		return words[1], isUnitName(words[1])
	}
	return "", false
}

// pinged is the address that a check asks for an echo, and nothing else.
func pinged(text string) (netip.Addr, bool) {
	words := plainWords(strings.TrimSuffix(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "2>&1")), ">/dev/null"))
	if len(words) < 2 || !slices.Contains([]string{"ping", "ping6", "fping", "fping6"}, path.Base(words[0])) {
		return netip.Addr{}, false
	}
	for _, w := range words[1:] {
		if a, err := netip.ParseAddr(w); err == nil && a.Zone() == "" {
			return a.Unmap(), true
		}
	}
	return netip.Addr{}, false
}
