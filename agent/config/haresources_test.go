package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestHaresources(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		groups     []string
		want       []string
	}{
		{"a line is a group", "alpha 192.0.2.10 nginx\nbeta 192.0.2.11\n",
			[]string{"alpha 192.0.2.10: IPaddr::192.0.2.10@1 nginx@1", "beta 192.0.2.11: IPaddr::192.0.2.11@2"}, nil},
		{"two lines for a node are two groups", "alpha 192.0.2.10\nalpha nginx\n",
			[]string{"alpha 192.0.2.10: IPaddr::192.0.2.10@1", "alpha nginx: nginx@2"}, nil},
		{"the key is the first word as written", "alpha IPaddr::192.0.2.10/24/eth0 nginx\n",
			[]string{"alpha IPaddr::192.0.2.10/24/eth0: IPaddr::192.0.2.10/24/eth0@1 nginx@1"}, nil},
		{"names of nodes are lower-cased, resources are not", "ALPHA Nginx\n", []string{"alpha Nginx: Nginx@1"}, nil},
		{"comments stand anywhere", "# a\nalpha nginx # b\n  # c\n", []string{"alpha nginx: nginx@2"}, nil},
		{"a backslash joins lines", "alpha 192.0.2.10 \\\n\t nginx\\\n php-fpm\nbeta b\n",
			[]string{"alpha 192.0.2.10: IPaddr::192.0.2.10@1 nginx@2 php-fpm@3", "beta b: b@4"}, nil},
		{"the node may stand on the line before", "\\\nalpha\\\nnginx", []string{"alpha nginx: nginx@3"}, nil},
		{"a carriage return is no word", "alpha nginx \\\r\n  php\r\n", []string{"alpha nginx: nginx@1 php@2"}, nil},
		{"a backslash at the end of the file joins nothing", "alpha nginx \\", []string{"alpha nginx: nginx@1"}, nil},
		{"a node alone is accepted", "beta\nalpha nginx", []string{"alpha nginx: nginx@2"},
			[]string{"haresources:1: note: beta: no resource follows: the line has no effect"}},
		{"an empty file is accepted", "#\n", nil, []string{"haresources: warning: no groups: there is nothing to run"}},
		{"a stranger is refused", "gamma nginx\n", []string{"gamma nginx: nginx@1"},
			[]string{"haresources:1: gamma: not a node of ha.cf; a group begins with one of alpha, beta"}},
		{"a resource is in one group only", "alpha 192.0.2.10 nginx\nbeta 192.0.2.11 nginx\n",
			[]string{"alpha 192.0.2.10: IPaddr::192.0.2.10@1 nginx@1", "beta 192.0.2.11: IPaddr::192.0.2.11@2"},
			[]string{"haresources:2: nginx: already on line 1: a resource belongs to one group, once"}},
		{"also when it is spelt out", "alpha nginx 192.0.2.10\nbeta IPaddr::192.0.2.10\n", []string{"alpha nginx: nginx@1 IPaddr::192.0.2.10@1"},
			[]string{"haresources:2: IPaddr::192.0.2.10: already on line 1: a resource belongs to one group, once"}},
		{"heartbeat's grep for a key is warned of", "alpha db.service\nbeta web db-service\n",
			[]string{"alpha db.service: db.service@1", "beta web: web@2 db-service@2"},
			[]string{"haresources:2: warning: db-service: heartbeat takes it for db.service of line 1, because a dot matches anything when it looks for a group"}},
		{"but not where it finds no whole word", "alpha db.service\nbeta web xdb-service\n",
			[]string{"alpha db.service: db.service@1", "beta web: web@2 xdb-service@2"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, ds := Load(with(map[string]string{Haresources: tt.text}), machine("alpha"))
			check(t, ds, tt.want)
			var got []string
			for _, g := range c.Groups {
				line := g.Preferred + " " + g.Key + ":"
				for i, s := range g.Resources {
					line += fmt.Sprintf(" %s@%d", s, g.ResourceLines[i])
				}
				got = append(got, line)
			}
			if !slices.Equal(got, tt.groups) {
				t.Errorf("groups:\n got %q\nwant %q", got, tt.groups)
			}
		})
	}
}

func TestManyResources(t *testing.T) {
	var b strings.Builder
	for i := range maxResources + 1000 {
		fmt.Fprintf(&b, "alpha unit%d\n", i)
	}
	c, ds := Load(with(map[string]string{Haresources: b.String()}), machine("alpha"))
	check(t, ds, []string{"haresources:4097: more than 4096 resources: the rest is not read, is this the right file?"})
	if len(c.Groups) < maxResources {
		t.Errorf("%d groups, want %d at least", len(c.Groups), maxResources)
	}
}
