// Package eventdoc reads what the source of agent/event says of its events, so
// that the documents and closed sets made from it cannot fall behind it.
package eventdoc

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"strings"
)

// A Field is one field of an event.
type Field struct {
	Name    string // as Go has it: LastHeard
	Type    string // as Go writes it: time.Duration
	Comment string // without slashes, empty where there is none
}

// Read finds the structs of the package in dir, by name, with their fields in
// order. Fields that share a line share its comment, and one without a comment
// that follows on the next line keeps its own silence: a comment is never
// guessed.
func Read(dir string) (map[string][]Field, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	structs := map[string][]Field{}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		if err := readFile(name, structs); err != nil {
			return nil, err
		}
	}
	if len(structs) == 0 {
		return nil, fmt.Errorf("no structs in %s: %w", dir, os.ErrNotExist)
	}
	return structs, nil
}

func readFile(name string, structs map[string][]Field) error {
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.TypeSpec); ok {
			if s, ok := spec.Type.(*ast.StructType); ok {
				structs[spec.Name.Name] = fields(s)
			}
		}
		return true
	})
	return nil
}

func fields(s *ast.StructType) []Field {
	var all []Field
	for _, f := range s.Fields.List {
		comment := strings.Join(strings.Fields(cmp.Or(f.Comment.Text(), f.Doc.Text())), " ")
		for _, name := range f.Names {
			all = append(all, Field{Name: name.Name, Type: types.ExprString(f.Type), Comment: comment})
		}
	}
	return all
}

// Values are the words of a comment that lists a closed set before any
// semicolon or parenthesis: `busy, no_route, other`, and what follows "x when"
// left out: `"sent" when we asked Peer, "received" when Peer asked us`.
func Values(comment string) []string {
	if i := strings.IndexAny(comment, ";("); i >= 0 {
		comment = comment[:i]
	}
	var values []string
	for part := range strings.SplitSeq(strings.ReplaceAll(comment, " or ", ","), ",") {
		if word := strings.Fields(part); len(word) > 0 {
			values = append(values, strings.Trim(word[0], `"`))
		}
	}
	return values
}
