package migrate

import (
	"bufio"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
)

// A step is a block of commands of a page, and what is to be seen of them.
//
//	```sh beta
//	systemctl stop heartbeat
//	```
//
// says where the commands are run: on a node, or on both. "look" behind it says
// that they change nothing and are repeated until the text block that follows
// them is what they print. In that, … stands for anything.
type step struct {
	title    string // the heading it stands under
	line     int
	where    []string // nodes
	look     bool
	commands string
	sights   *string // nil: nothing is said of what they print
}

// script reads the blocks of a page, in order. Every block of commands must say
// where it is run: one that is not run is wrong sooner or later.
func script(page string, nodes []string) ([]step, error) {
	file, err := os.Open(page)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var steps []step
	title, kind, begun := "", "", 0
	var block []string
	lines := bufio.NewScanner(file)
	for number := 1; lines.Scan(); number++ {
		line := lines.Text()
		fence, info, _ := strings.Cut(line, " ")
		switch {
		case kind == "" && strings.HasPrefix(line, "#"):
			title = strings.TrimLeft(line, "# ")
		case kind == "" && fence == "```sh":
			s := step{title: title, line: number}
			words := strings.Fields(info)
			if len(words) == 2 && words[1] == "look" {
				s.look, words = true, words[:1]
			}
			switch {
			case len(words) == 1 && words[0] == "both":
				s.where = nodes
			case len(words) == 1 && slices.Contains(nodes, words[0]):
				s.where = words
			default:
				return nil, fmt.Errorf("%s:%d: %q does not say where the commands are run", page, number, line)
			}
			steps, kind, begun, block = append(steps, s), "sh", number, nil
		case kind == "" && fence == "```text":
			if len(steps) == 0 || steps[len(steps)-1].sights != nil {
				return nil, fmt.Errorf("%s:%d: sights of nothing", page, number)
			}
			kind, begun, block = "text", number, nil
		case kind == "" && strings.HasPrefix(line, "```"):
			kind, begun = "other", number
		case kind != "" && line == "```":
			text := strings.Join(block, "\n")
			switch kind {
			case "sh":
				steps[len(steps)-1].commands = text
			case "text":
				steps[len(steps)-1].sights = &text
			}
			kind = ""
		case kind != "":
			block = append(block, line)
		}
	}
	if kind != "" {
		return nil, fmt.Errorf("%s:%d: a block that does not end", page, begun)
	}
	for _, s := range steps {
		if s.look && s.sights == nil {
			return nil, fmt.Errorf("%s:%d: a look at nothing", page, s.line)
		}
	}
	return steps, lines.Err()
}

// differs is an error where something else was printed than was to be seen.
func (s step) differs(printed string) error {
	if shows(*s.sights, printed) {
		return nil
	}
	return fmt.Errorf("printed\n%s\nthe page says\n%s", trimmed(printed), *s.sights)
}

// shows reports whether what was printed is what was to be seen.
func shows(sights, printed string) bool {
	pattern := strings.ReplaceAll(regexp.QuoteMeta(trimmed(sights)), "…", ".*")
	return regexp.MustCompile(`(?s)\A` + pattern + `\z`).MatchString(trimmed(printed))
}

// trimmed is a text without blanks at the ends of its lines.
func trimmed(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " \t\r")
	}
	return strings.Join(lines, "\n")
}
