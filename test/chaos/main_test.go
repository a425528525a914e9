package chaos

import (
	"net/netip"
	"os"
	"testing"

	"github.com/systole-ha/systole/test/cluster"
	"github.com/systole-ha/systole/test/lab"
)

var virtual = netip.MustParseAddr("192.0.2.50")

func TestMain(m *testing.M) {
	code := m.Run()
	cluster.Remove()
	os.Exit(code)
}

const patience = lab.Patience

var must, within, soon, pass = lab.Must, lab.Within, lab.Soon, lab.Elapse
