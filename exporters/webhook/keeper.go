package webhook

import (
	"bytes"
	"fmt"
	"time"
)

const (
	// settle is for how long an event may wait before it is kept: on most days
	// all are delivered by then, and no disk is written to. It is also what a
	// kill -9 or a power cut costs at most, beside what a slow disk does.
	settle = time.Second
	// saveTimeout is how long Close waits for the Store: a disk that takes longer
	// may never come back, and the daemon has to end.
	saveTimeout = time.Second
)

// A keeper has what waits for one endpoint in the Store. Only its own goroutine
// waits for that: events are posted while a disk hangs.
type keeper struct {
	store    Store // nil: nothing is kept
	endpoint string
	posts    func() []post // that wait
	failed   func(error)
	saved    []byte // what is in the store, where that is certain
	certain  bool
	kept     int           // how many posts that is; after run has ended it may be read
	changed  chan struct{} // holds one token while what waits may not be what is saved
	ended    chan struct{} // closed when nothing changes any more
	done     chan struct{} // closed when run has ended
}

func newKeeper(store Store, endpoint string, posts func() []post, failed func(error)) *keeper {
	return &keeper{
		store: store, endpoint: endpoint, posts: posts, failed: failed,
		changed: make(chan struct{}, 1), ended: make(chan struct{}), done: make(chan struct{}),
	}
}

// load is what the last run left. What cannot be read is lost, and said.
func (k *keeper) load() []post {
	if k.store == nil {
		return nil
	}
	text, err := k.store.Load(k.endpoint)
	var posts []post
	if err == nil {
		posts, err = decode(text)
	}
	k.saved, k.certain, k.kept = text, err == nil, len(posts)
	if err != nil {
		k.failed(fmt.Errorf("events that the last run has kept are lost: %w", err))
	}
	return posts
}

// rouse says that something has changed. It never waits.
func (k *keeper) rouse() {
	select {
	case k.changed <- struct{}{}:
	default:
	}
}

// run saves what waits for longer than a moment, and what waits in the end.
func (k *keeper) run() {
	defer close(k.done)
	for {
		select {
		case <-k.changed:
		case <-k.ended:
			k.save()
			return
		}
		select {
		case <-time.After(settle):
		case <-k.ended:
		}
		k.save()
	}
}

func (k *keeper) save() {
	if k.store == nil {
		return
	}
	text, n := encode(k.posts())
	if k.certain && bytes.Equal(text, k.saved) {
		return
	}
	err := k.store.Save(k.endpoint, text)
	k.saved, k.certain, k.kept = text, err == nil, n
	if err != nil {
		k.kept = 0
		k.failed(fmt.Errorf("what waits is not kept over the end of the daemon: %w", err))
	}
}

// close saves what waits and returns how many posts that are.
func (k *keeper) close() int {
	close(k.ended)
	select {
	case <-k.done:
		return k.kept
	case <-time.After(saveTimeout):
		return 0
	}
}
