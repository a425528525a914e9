package script

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Folders are where scripts are looked for, in this order.
type Folders []string

// Beside returns the folders for a configuration in dir: its own resource.d,
// Heartbeat's two.
func Beside(dir string) Folders {
	f := Folders{filepath.Join(dir, ResourceFolder), filepath.Join(HeartbeatFolder, ResourceFolder), "/etc/init.d"}
	return slices.Compact(f)
}

// ErrNoScript is wrapped by the error of Find for a name that no folder has.
var ErrNoScript = errors.New("no script")

// Find returns the path of a script: the first of that name that is a file and
// may be executed.
func (f Folders) Find(name string) (string, error) {
	if name == "" || strings.ContainsRune(name, '/') || name == "." || name == ".." {
		return "", fmt.Errorf("%w: %q is no name of a file", ErrNoScript, name)
	}
	var plain string
	for _, dir := range f {
		path := filepath.Join(dir, name)
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		if info.Mode().Perm()&0o111 != 0 {
			return path, nil
		}
		plain = path
	}
	if plain != "" {
		return "", fmt.Errorf("%w: %s is not executable: chmod +x %s", ErrNoScript, plain, plain)
	}
	return "", fmt.Errorf("%w %s in %s", ErrNoScript, name, strings.Join(f, ", "))
}
