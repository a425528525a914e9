package trouble

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestTroubleIsToldAtOnceAndThenOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dropped atomic.Uint64
		var told []string
		began := time.Now()
		teller := New(dropped.Load, func(n uint64, err error) { told = append(told, fmt.Sprint(time.Since(began), " ", n, " ", err)) })
		lose := func(n uint64) { dropped.Add(n); teller.Rouse() }
		lose(1)
		synctest.Wait()
		time.Sleep(time.Second)
		lose(2)
		teller.Failed(errors.New("away"))
		lose(3)
		time.Sleep(2 * time.Minute)
		teller.Rouse() // nothing new
		synctest.Wait()
		lose(4)
		teller.Close()
		want := []string{"0s 1 <nil>", "1m0s 5 away", "2m1s 4 <nil>"}
		if !slices.Equal(told, want) {
			t.Errorf("told\n got %q\nwant %q", told, want)
		}
	})
}

func TestNobodyListens(t *testing.T) {
	teller := New(func() uint64 { return 1 }, nil)
	teller.Failed(errors.New("away"))
	teller.Close()
}
