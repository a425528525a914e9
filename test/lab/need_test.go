package lab

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// forbid calls forbidServices on path, looks at what is there meanwhile, and
// has it restored.
func forbid(t *testing.T, path string) {
	t.Helper()
	restore, err := forbidServices(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || !strings.Contains(string(got), "exit 101") {
		t.Errorf("while installing: got %q, %v, want exit 101", got, err)
	}
	if err := restore(); err != nil {
		t.Error(err)
	}
}

func TestForbidServicesLeavesNothingWhereNothingWas(t *testing.T) {
	path := filepath.Join(t.TempDir(), "policy-rc.d")
	forbid(t, path)
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("afterwards: got %v, want no file", err)
	}
}

func TestForbidServicesPutsALinkBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "policy-rc.d")
	if err := os.Symlink("/etc/alternatives/policy", path); err != nil {
		t.Fatal(err)
	}
	forbid(t, path)
	if got, err := os.Readlink(path); err != nil || got != "/etc/alternatives/policy" {
		t.Errorf("afterwards: got link to %q, %v", got, err)
	}
}

func TestForbidServicesAfterAKilledRunPutsTheFirstBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "policy-rc.d")
	if err := os.WriteFile(path, []byte("of the machine"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := forbidServices(path); err != nil { // never restored
		t.Fatal(err)
	}
	forbid(t, path)
	if got, err := os.ReadFile(path); err != nil || string(got) != "of the machine" {
		t.Errorf("afterwards: got %q, %v, want what was there first", got, err)
	}
}

func TestCheckMachineNamesThePackage(t *testing.T) {
	err := checkMachine([]Package{
		{Name: "some-package", File: "no-such-command", Core: true},
		{Name: "other-package", File: "no-such-service", Core: false},
	})
	const want = "no-such-command: not found: apt-get install some-package"
	if os.Geteuid() == 0 && (err == nil || err.Error() != want) {
		t.Errorf("got %v, want %s", err, want)
	}
}
