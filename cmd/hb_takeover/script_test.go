package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/systole-ha/systole/agent/control/controltest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"hb_takeover": main})
}

// The scripts pin outputs and exit codes. What they want of heartbeat's was
// read off heartbeat 3.0.6 as Debian 12 has it.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata", Setup: controltest.Setup, Cmds: controltest.Commands()})
}
