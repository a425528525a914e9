package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// An option is one letter that was given, with its argument if it has one.
type option struct {
	letter   byte
	argument string
}

var errOption = errors.New("a wrong option")

// getopt reads options as the GNU C library's getopt does for heartbeat's
// cl_status: they may stand anywhere, several letters behind one hyphen, up to
// "--". letters are those allowed; a colon follows one that takes an argument,
// which may be the rest of its word. What is wrong is said on stderr under the
// sub-command's name, and is the end of it unless all are wanted.
func getopt(name string, args []string, letters string, all bool, stderr io.Writer) (options []option, rest []string, err error) {
	for len(args) > 0 && (err == nil || all) {
		word := args[0]
		args = args[1:]
		switch {
		case word == "--":
			return options, append(rest, args...), err
		case len(word) < 2 || word[0] != '-':
			rest = append(rest, word)
			continue
		}
		for i := 1; i < len(word) && (err == nil || all); i++ {
			at := strings.IndexByte(letters, word[i])
			switch {
			case at < 0 || word[i] == ':':
				fmt.Fprintf(stderr, "%s: invalid option -- '%c'\n", name, word[i])
				err = errOption
				continue
			case !strings.HasPrefix(letters[at+1:], ":"):
				options = append(options, option{letter: word[i]})
				continue
			case i+1 < len(word):
				options = append(options, option{word[i], word[i+1:]})
			case len(args) > 0:
				options = append(options, option{word[i], args[0]})
				args = args[1:]
			default:
				fmt.Fprintf(stderr, "%s: option requires an argument -- '%c'\n", name, word[i])
				err = errOption
			}
			break
		}
	}
	return options, rest, err
}
