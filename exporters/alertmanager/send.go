package alertmanager

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"github.com/systole-ha/systole/exporters/internal/trouble"
	"github.com/systole-ha/systole/exporters/queue"
)

// A sender tells one Alertmanager.
type sender struct {
	target    Target
	userAgent string
	client    *http.Client
	queue     *queue.Queue
	trouble   *trouble.Teller
	firing    *firing // run's own
	done      chan struct{}
}

// Run follows the records and tells what fires: at once when an alert begins,
// then every so often, and sooner again where a post failed. What fires is kept,
// not what was to be posted, so that an Alertmanager that was away hears of all
// that is still so.
func (s *sender) run(ctx context.Context) {
	defer close(s.done)
	var due time.Time // of the next post; zero while nothing fires
	pause := pauseFirst
	for {
		news, err := s.follow(ctx, due)
		if now := time.Now(); news || !due.IsZero() && !now.Before(due) {
			alerts := s.firing.at(now)
			switch {
			case len(alerts) == 0:
				due = time.Time{}
			case s.tell(ctx, alerts):
				due, pause = now.Add(s.firing.repeat), pauseFirst
			default:
				due, pause = time.Now().Add(pause/2+rand.N(pause/2)), min(2*pause, pauseMost)
			}
		}
		if err != nil {
			return
		}
	}
}

// follow takes the next record, if there is one until due. Its error says that
// there will be no more.
func (s *sender) follow(ctx context.Context, due time.Time) (news bool, err error) {
	waiting := ctx
	if !due.IsZero() {
		var cancel context.CancelFunc
		waiting, cancel = context.WithDeadline(ctx, due)
		defer cancel()
	}
	r, err := s.queue.Next(waiting)
	switch {
	case err == nil:
		return s.firing.take(r), nil
	case errors.Is(err, queue.ErrClosed):
		return false, err
	}
	return false, ctx.Err()
}

func (s *sender) tell(ctx context.Context, alerts []alert) bool {
	err := s.post(ctx, alerts)
	if err != nil {
		s.trouble.Failed(fmt.Errorf("%s: %w", s.target.URL, err))
	}
	return err == nil
}

func (s *sender) post(ctx context.Context, alerts []alert) error {
	body, err := json.Marshal(alerts)
	if err != nil {
		panic(fmt.Sprintf("alertmanager: %v", err)) // text and times always are JSON
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.target.URL+"/api/v2/alerts", bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	if s.userAgent != "" {
		request.Header.Set("User-Agent", s.userAgent)
	}
	if s.target.User != "" {
		request.SetBasicAuth(s.target.User, s.target.Password)
	}
	response, err := s.client.Do(request)
	if err != nil {
		var e *url.Error
		if errors.As(err, &e) {
			err = e.Err
		}
		return err
	}
	defer response.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(response.Body, 200))
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("it answers %s: %s", response.Status, bytes.TrimSpace(said))
	}
	return nil
}
