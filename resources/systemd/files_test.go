package systemd

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/systole-ha/systole/resources"
)

func TestInstalled(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	for _, path := range []string{filepath.Join(first, "nginx.service"), filepath.Join(second, "app@.service"), filepath.Join(second, "srv.mount")} {
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/dev/null", filepath.Join(first, "masked.service")); err != nil {
		t.Fatal(err)
	}
	for word, want := range map[string]bool{
		"nginx": true, "nginx.service": true, "nginx.socket": false, "srv.mount": true, "srv": false,
		"app@one": true, "app": false, "app@": false, "masked": true, "none": false, "../nginx": false, "nginx::argument": false,
	} {
		s, err := resources.ParseSpec(word)
		if err != nil {
			t.Fatal(err)
		}
		if got := installed([]string{first, second}, s); got != want {
			t.Errorf("%s is installed: %v, want %v", word, got, want)
		}
	}
}
