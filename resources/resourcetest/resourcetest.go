// Package resourcetest is what the tests of drivers share.
package resourcetest

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/systole-ha/systole/resources"
)

// patience is what a driver is waited for at most.
const patience = 20 * time.Second

// Soon is a context that ends after as long as a driver may take on a machine
// that does something else as well.
func Soon(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// Spec reads a word of haresources, which must be one.
func Spec(t testing.TB, word string) resources.Spec {
	t.Helper()
	s, err := resources.ParseSpec(word)
	OK(t, err)
	return s
}

// OK ends a test that cannot go on after an error.
func OK(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Write makes a file, of a program for example.
func Write(t testing.TB, path, text string, mode os.FileMode) {
	t.Helper()
	OK(t, os.WriteFile(path, []byte(text), mode))
}

// Text is what an error says; "" where there is none.
func Text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
