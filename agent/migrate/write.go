package migrate

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ErrBlocked is the error of Write where something is to be cured first.
var ErrBlocked = errors.New("nothing was written: there is something to be cured first")

// before is what root has now where the file is to be.
func (f File) before(root fs.FS) (text string, there bool) {
	old, err := fs.ReadFile(root, strings.TrimPrefix(f.Path, "/"))
	return string(old), err == nil
}

// keptName is where what is there now is kept: the first free of .kept-1,
// .kept-2 and so on.
func (f File) keptName(root fs.FS) string {
	for n := 1; ; n++ {
		name := fmt.Sprintf("%s.kept-%d", f.Path, n)
		if _, err := fs.Stat(root, strings.TrimPrefix(name, "/")); err != nil {
			return name
		}
	}
}

// Write writes the files below root, which is "/" but in tests, and tells w of
// each. A file is replaced in one step and has its mode from the first byte on.
// What was there is kept beside it; what is there already is left alone. Where
// one cannot be written, those before it stay.
func (p *Plan) Write(root string, w io.Writer) error {
	if p.Blocked() {
		return ErrBlocked
	}
	for _, f := range p.Files {
		if err := f.write(root, w); err != nil {
			return err
		}
	}
	return nil
}

func (f File) write(root string, w io.Writer) error {
	tree := os.DirFS(root)
	before, there := f.before(tree)
	path := filepath.Join(root, f.Path)
	if there && before == f.Text {
		fmt.Fprintf(w, "%s is there already\n", f.Path)
		return os.Chmod(path, f.Mode.Perm())
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if there {
		kept := f.keptName(tree)
		// A link: there is no instant at which the path has no file.
		if err := os.Link(path, filepath.Join(root, kept)); err != nil {
			return fmt.Errorf("keep %s: %w", f.Path, err)
		}
		fmt.Fprintf(w, "%s is kept as %s\n", f.Path, kept)
	}
	if err := replace(path, f.Mode.Perm(), f.Text); err != nil {
		return fmt.Errorf("write %s: %w", f.Path, err)
	}
	fmt.Fprintf(w, "%s is written\n", f.Path)
	return nil
}

// replace puts a file in place of another, so that either is there whole after
// a power cut.
func replace(path string, mode fs.FileMode, text string) error {
	temporary, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // of mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name()) // gone where it was renamed
	_, err = temporary.WriteString(text)
	err = errors.Join(err, temporary.Chmod(mode), temporary.Sync(), temporary.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(temporary.Name(), path); err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
