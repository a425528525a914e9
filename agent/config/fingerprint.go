package config

import (
	"io"
	"io/fs"
	"strings"
)

// whole are the files that are taken as a whole when the daemon starts, and
// not before it starts again.
var whole = []string{HaCf, Haresources, SystoleYAML}

// Differ names the files, in the order in which they are read, that do not say
// the same in two configurations: comments, blank lines and blanks between
// words aside. Of authkeys nothing is said; see wire.Keyring.
func (c *Config) Differ(from *Config) (files []string) {
	for _, name := range whole {
		if c.prints[name] != from.prints[name] {
			files = append(files, name)
		}
	}
	return files
}

// fingerprints are by file; one that is not there says nothing. Hashes and not texts,
// so that nothing a file says is kept where it might be printed.
func fingerprints(fsys fs.FS) map[string]uint64 {
	prints := map[string]uint64{}
	for _, name := range whole {
		text, _ := readFile(fsys, name) // what is wrong with it is told elsewhere
		prints[name] = fingerprint(text, name == SystoleYAML)
	}
	return prints
}

// fingerprint is that of a text; in YAML a line's indentation has a meaning.
func fingerprint(text string, indented bool) uint64 {
	return hash48(func(w io.Writer) {
		for line := range strings.Lines(text) {
			words := strings.Join(strings.Fields(line), " ")
			if words == "" || words[0] == '#' {
				continue
			}
			if indented {
				words = strings.TrimRight(line, " \t\r\n")
			}
			io.WriteString(w, words+"\n")
		}
	})
}
