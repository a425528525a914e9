package interop

import (
	"flag"
	"os"
	"testing"

	"github.com/systole-ha/systole/test/cluster"
	"github.com/systole-ha/systole/test/lab"
)

var (
	update = flag.Bool("update", false, "walk through every configuration, and write docs/compat.md")
	record = flag.Bool("record", false, "walk with two Heartbeat nodes, and keep what they complain of")
	only   = flag.String("only", "", "walk only through configurations whose title matches")
	steps  = flag.String("steps", "", "take only steps whose names match, after the joint start")
)

func TestMain(m *testing.M) {
	code := m.Run()
	cluster.Remove()
	os.Exit(code)
}

const patience = lab.Patience

var must, within, soon, pass = lab.Must, lab.Within, lab.Soon, lab.Pass
