package control

import (
	"flag"
	"testing"

	"go.uber.org/goleak"
)

func init() { flag.Bool("update", false, "rewrite the golden files") }

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
