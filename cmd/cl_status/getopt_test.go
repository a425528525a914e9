package main

import (
	"fmt"
	"strings"
	"testing"
)

func TestGetopt(t *testing.T) {
	for _, tt := range []struct {
		name, args string
		all        bool
		want, says string
	}{
		{name: "nothing is nothing", want: "[] [] <nil>"},
		{name: "options may stand behind parameters", args: "beta -m", want: "[m] [beta] <nil>"},
		{name: "letters may share a hyphen", args: "-mv beta", want: "[m v] [beta] <nil>"},
		{name: "an argument is the next word", args: "-p deadtime -m", want: "[pdeadtime m] [] <nil>"},
		{name: "or the rest of its own", args: "-mpdeadtime", want: "[m pdeadtime] [] <nil>"},
		{name: "even if it looks like an option", args: "-p -m", want: "[p-m] [] <nil>"},
		{name: "two hyphens end the options", args: "-m -- -v", want: "[m] [-v] <nil>"},
		{name: "a hyphen alone is a parameter", args: "- -m", want: "[m] [-] <nil>"},
		{name: "an unknown letter ends it", args: "-z -y beta", want: "[] [] a wrong option", says: "cmd: invalid option -- 'z'\n"},
		{
			name: "unless all are wanted", args: "-zm -: beta", all: true, want: "[m] [beta] a wrong option",
			says: "cmd: invalid option -- 'z'\ncmd: invalid option -- ':'\n",
		},
		{name: "an argument can be missing", args: "-mp", want: "[m] [] a wrong option", says: "cmd: option requires an argument -- 'p'\n"},
		{name: "long options are letters", args: "--m", want: "[] [] a wrong option", says: "cmd: invalid option -- '-'\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var said strings.Builder
			options, rest, err := getopt("cmd", strings.Fields(tt.args), "mvp:", tt.all, &said)
			words := []string{}
			for _, o := range options {
				words = append(words, string(o.letter)+o.argument)
			}
			if got := fmt.Sprint(words, " ", rest, " ", err); got != tt.want || said.String() != tt.says {
				t.Errorf("getopt(%s):\n got %s, says %q\nwant %s, says %q", tt.args, got, said.String(), tt.want, tt.says)
			}
		})
	}
}
