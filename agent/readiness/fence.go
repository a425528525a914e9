package readiness

import (
	"context"
	"fmt"
	"time"
)

// How often devices are asked where no person wants to know: each question is a
// program that logs in to a management board, which may take one at a time.
// Those that do not answer are asked again sooner.
const (
	devicesUsually  = 10 * time.Minute
	devicesNotReady = time.Minute
)

// devicesLimit is how long all devices together may take to answer. One board
// takes some seconds.
const devicesLimit = 20 * time.Second

// A devices is what the last question to them came to.
type devices struct {
	asked   time.Time // zero for never
	verdict Verdict
}

// fencing asks the devices that switch the peer off whether they would, or
// repeats what they have answered a while ago.
func (c *Checker) fencing(ctx context.Context, asked bool) Verdict {
	pause := devicesUsually
	if !c.devices.verdict.Ready {
		pause = devicesNotReady
	}
	if asked || c.devices.asked.IsZero() || time.Since(c.devices.asked) >= pause {
		c.devices = devices{time.Now(), c.limited(ctx, FenceDevice, devicesLimit, c.askDevices)}
	}
	return c.devices.verdict
}

// askDevices wants every device to say that it would switch the peer off, also
// those of a level that comes after another has failed.
func (c *Checker) askDevices(ctx context.Context) Verdict {
	var wrong, fine []string
	for _, d := range c.cfg.Devices {
		if d.Check == nil {
			fine = append(fine, d.Name+" is done by a person")
			continue
		}
		err := d.Check(ctx)
		switch {
		case err == nil:
			fine = append(fine, d.Name+" answers")
		case ctx.Err() != nil:
			wrong = append(wrong, fmt.Sprintf("%s: no answer within %v", d.Name, devicesLimit))
			return verdict(FenceDevice, wrong, fine)
		default:
			wrong = append(wrong, err.Error())
		}
	}
	return verdict(FenceDevice, wrong, fine)
}
