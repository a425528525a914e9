package config

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"
)

// TestThisHost asks the machine what is true of every Linux machine.
func TestThisHost(t *testing.T) {
	h, err := ThisHost()
	if err != nil || h.Name == "" {
		t.Fatalf("ThisHost() = %+v, %v", h, err)
	}
	if broadcast, err := h.Interface("lo"); err != nil || broadcast.IsValid() {
		t.Errorf("Interface(lo) = %v, %v, want an interface without a broadcast address", broadcast, err)
	}
	if _, err := h.Interface("no-such-device"); err == nil {
		t.Error("Interface(no-such-device) exists")
	}
	if err := h.Serial("/dev/null"); err != nil {
		t.Errorf("Serial(/dev/null), a character device: %v", err)
	}
	for _, path := range []string{"/dev", "/dev/no-such-device"} {
		if err := h.Serial(path); err == nil {
			t.Errorf("Serial(%s) is a character device", path)
		}
	}
	if got, err := h.Resolve("ip4", "localhost"); err != nil || !got.IsLoopback() {
		t.Errorf("Resolve(localhost) = %v, %v", got, err)
	}
	for address, want := range map[string]bool{"127.0.0.1": true, "192.0.2.1": false, "2001:db8::1": false} {
		if got := h.Local(netip.MustParseAddr(address)); got != want {
			t.Errorf("Local(%s) = %t, want %t", address, got, want)
		}
	}
}

func TestFirstDir(t *testing.T) {
	dir := t.TempDir()
	missing, file := filepath.Join(dir, "missing"), filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		paths []string
		want  string
	}{
		{"the first that exists", []string{missing, dir, "/"}, dir},
		{"a file is no folder", []string{file, dir}, dir},
		{"the first if there is none", []string{missing, file}, missing},
	} {
		if got := firstDir(tt.paths); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}
