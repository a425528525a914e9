package migrate

import (
	"io/fs"
	"path"
	"strings"
	"time"
)

// A Tree is a folder of planned files by name, for who is to read them before
// they are written.
type Tree map[string]File

// Open opens a file of the folder.
func (t Tree) Open(name string) (fs.File, error) {
	f, ok := t[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &opened{File: f, text: strings.NewReader(f.Text)}, nil
}

// opened is a file of a Tree that is being read, and what there is to know of
// it.
type opened struct {
	File
	text *strings.Reader
}

func (o *opened) Read(p []byte) (int, error) { return o.text.Read(p) }
func (o *opened) Close() error               { return nil }
func (o *opened) Stat() (fs.FileInfo, error) { return o, nil }
func (o *opened) Name() string               { return path.Base(o.Path) }
func (o *opened) Size() int64                { return int64(len(o.Text)) }
func (o *opened) Mode() fs.FileMode          { return o.File.Mode }
func (o *opened) ModTime() time.Time         { return time.Time{} }
func (o *opened) IsDir() bool                { return false }
func (o *opened) Sys() any                   { return nil }
