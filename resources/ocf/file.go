package ocf

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ErrFile is wrapped by the error of DecodeFile.
var ErrFile = errors.New("not understood")

// DecodeFile reads a file of parameters: lines of NAME=value with values in
// quotes or without, and comments. The names are of variables, such as
// OCF_RESKEY_ip.
//
// Heartbeat has a shell read the file. Here no shell does, so what only a shell
// makes a value of is an error.
func DecodeFile(text string) (variables []string, err error) {
	for number, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if rest, ok := strings.CutPrefix(line, "export "); ok {
			line = strings.TrimSpace(rest)
		}
		name, raw, both := strings.Cut(line, "=")
		if !both || !isVariable(name) || '0' <= name[0] && name[0] <= '9' {
			return nil, fmt.Errorf("line %d is %w: it is not NAME=value", number+1, ErrFile)
		}
		value, err := unquote(raw)
		if err != nil {
			return nil, fmt.Errorf("line %d is %w: %s: %v", number+1, ErrFile, name, err)
		}
		variables = append(variables, name+"="+value)
	}
	return variables, nil
}

var errShell = errors.New("only a shell makes a value of that: write the value itself")

// unquote reads one value and nothing behind it but a comment.
func unquote(raw string) (string, error) {
	if strings.ContainsRune(raw, 0) {
		return "", errShell
	}
	if raw != "" && (raw[0] == '\'' || raw[0] == '"') {
		value, rest, closed := strings.Cut(raw[1:], raw[:1])
		rest = strings.TrimLeft(rest, " \t")
		if !closed || rest != "" && rest[0] != '#' || raw[0] == '"' && strings.ContainsAny(value, "$`\\") {
			return "", errShell
		}
		return value, nil
	}
	value, rest, _ := strings.Cut(strings.ReplaceAll(raw, "\t", " "), " ")
	rest = strings.TrimLeft(rest, " ")
	if strings.ContainsAny(value, "$`\\'\"&|;<>()*?[]~{}") || rest != "" && rest[0] != '#' {
		return "", errShell
	}
	return value, nil
}

// variables are those of a word: of its file, if there is one, and its own.
func (d *Driver) variables(w Word) ([]string, error) {
	var all []string
	if w.Instance != "" {
		text, path, err := d.file(w)
		if err != nil {
			return nil, err
		}
		if all, err = DecodeFile(text); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	for _, p := range w.Parameters {
		all = append(all, "OCF_RESKEY_"+p.Name+"="+p.Value)
	}
	return all, nil
}

// file is the file of parameters, which need not be there.
func (d *Driver) file(w Word) (text, path string, err error) {
	for _, folder := range d.cfg.Folders {
		path = filepath.Join(folder, "conf", "OCF", w.Type, w.Instance)
		content, err := os.ReadFile(path)
		if !errors.Is(err, fs.ErrNotExist) {
			return string(content), path, err
		}
	}
	return "", "", nil
}
