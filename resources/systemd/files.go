package systemd

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/systole-ha/systole/resources"
)

// loadPath is where systemd reads the units of the system from (systemd.unit(5),
// "System Unit Search Path").
var loadPath = []string{
	"/etc/systemd/system.control", "/run/systemd/system.control", "/run/systemd/transient", "/run/systemd/generator.early",
	"/etc/systemd/system", "/etc/systemd/system.attached", "/run/systemd/system", "/run/systemd/system.attached",
	"/run/systemd/generator", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system",
	"/run/systemd/generator.late",
}

// Installed reports whether there is a file of the unit that a resource stands
// for, or of its template, or one that masks it. It asks only the file system:
// an answer that hung on whether systemd can be reached would be another one
// after a restart.
func Installed(s resources.Spec) bool { return installed(loadPath, s) }

func installed(folders []string, s resources.Spec) bool {
	name, err := unitName(s)
	if err != nil {
		return false
	}
	names := []string{name}
	if at := strings.IndexByte(name, '@'); at >= 0 {
		names = append(names, name[:at+1]+name[strings.LastIndexByte(name, '.'):])
	}
	for _, folder := range folders {
		for _, name := range names {
			if _, err := os.Lstat(filepath.Join(folder, name)); err == nil {
				return true
			}
		}
	}
	return false
}
