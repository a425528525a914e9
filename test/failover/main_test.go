package failover

import (
	"os"
	"testing"

	"github.com/systole-ha/systole/test/cluster"
	"github.com/systole-ha/systole/test/lab"
)

func TestMain(m *testing.M) {
	beHelper()
	code := m.Run()
	cluster.Remove()
	os.Exit(code)
}

const patience = lab.Patience

var must, within, soon, pass = lab.Must, lab.Within, lab.Soon, lab.Pass
