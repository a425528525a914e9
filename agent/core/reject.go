package core

import (
	"time"

	"github.com/systole-ha/systole/agent/event"
)

// A flood of bad datagrams is one event a second for each link and reason, with
// the number of them.
const rejectInterval = time.Second

type rejectKey struct {
	link   int
	reason string
}

type rejects struct {
	count  uint64 // not reported yet
	source string
	last   time.Time // of the last report
}

// due is when the count is to be reported; zero when there is none.
func (r *rejects) due() time.Time {
	if r.count == 0 {
		return time.Time{}
	}
	return r.last.Add(rejectInterval)
}

func (c *Core) reject(link int, reason, source string, count uint64) {
	key := rejectKey{link, reason}
	r := c.rejects[key]
	if r == nil {
		r = &rejects{}
		c.rejects[key] = r
	}
	r.count += count
	r.source = source
	c.reportRejects(c.now, key, r)
}

func (c *Core) flushRejects(now time.Time) {
	for key, r := range c.rejects {
		c.reportRejects(now, key, r)
	}
}

func (c *Core) reportRejects(now time.Time, key rejectKey, r *rejects) {
	if r.count == 0 || now.Before(r.due()) {
		return
	}
	c.emit(event.HeartbeatRejected{Link: c.link(key.link), Source: r.source, Reason: key.reason, Count: r.count})
	r.count, r.last = 0, now
}
