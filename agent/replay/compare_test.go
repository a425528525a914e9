package replay

import (
	"slices"
	"strings"
	"testing"
)

func said(kinds ...string) []Line {
	var lines []Line
	for _, text := range kinds {
		kind, detail, _ := strings.Cut(text, ", ")
		lines = append(lines, Line{Kind: kind, Detail: detail})
	}
	return lines
}

func TestCompare(t *testing.T) {
	declared := []Reason{
		{Name: "asks", Missing: []string{"reqnodes"}},
		{Name: "flux", Added: []string{"resource * 0"}},
		{Name: "again", Missing: []string{"resource * 1"}, Again: true},
		{Name: "script", Altered: []string{"resource * 1, req_our*"}, Where: []string{"death/h2"}},
	}
	tests := []struct {
		name       string
		real, ours []Line
		where      string
		want       []string // undeclared
	}{
		{"the same, in order", said("starting", "resource none 0"), said("starting", "resource none 0"), "death", nil},
		{"a declared lack", said("reqnodes", "starting"), said("starting"), "death", nil},
		{"a declared addition", said("ask_resources all other"), said("ask_resources all other", "resource local 0"), "death", nil},
		{"another detail where it is declared", said("resource all 1, req_our_resources()"), said("resource all 1"), "death", nil},
		{
			"another detail where it is not", said("resource all 1, req_our_resources()"), said("resource all 1"), "clean_stop",
			[]string{`the real node says "resource all 1, req_our_resources()", systole "resource all 1"`},
		},
		{"what is declared as lacking, but is added", said("starting"), said("starting", "reqnodes"), "death", []string{`only systole says "reqnodes"`}},
		{
			"the wrong order", said("starting", "resource none 1"), said("resource none 1", "starting"), "death",
			[]string{`only systole says "resource none 1"`, `only the real node says "resource none 1"`},
		},
		{"another word", said("resource all 1"), said("resource local 1"), "death", []string{`only the real node says "resource all 1"`, `only systole says "resource local 1"`}},
		{"a declared repetition", said("resource all 1", "starting", "resource all 1"), said("resource all 1", "starting"), "death", nil},
		{
			"the same words where they are no repetition", said("resource all 1", "resource none 1", "resource all 1"), said("resource all 1", "resource none 1"), "death",
			[]string{`only the real node says "resource all 1"`},
		},
		{"silence", said("starting"), nil, "death", []string{`only the real node says "starting"`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := Side{Chapter: &Chapter{Name: tt.where}, Node: "h2", Real: tt.real, Ours: tt.ours}
			if got := Undeclared(s.Compare(declared)); !slices.Equal(got, tt.want) {
				t.Errorf("undeclared\n got %q\nwant %q", got, tt.want)
			}
		})
	}
}
