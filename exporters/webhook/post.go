package webhook

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"

	"github.com/systole-ha/systole/agent/event"
)

const (
	// keptMost is how many posts are kept for one endpoint: those of the last run
	// and a queue full of this one's.
	keptMost = 2 * depth
	// keptBytes bounds their text: a post has about 600 bytes.
	keptBytes = 1 << 20
)

// A post is an event as it is posted, at each attempt the same.
type post struct {
	ID   string          `json:"id"`
	Kind string          `json:"kind"`
	Body json.RawMessage `json:"body"`
}

func (o origin) post(r event.Record) post {
	return post{ID: o.id(r), Kind: r.Event.Kind(), Body: o.envelope(r)}
}

// lines are posts as they are kept, one a line. Where there are more than may
// be kept, the oldest are left out.
func lines(posts []post) (all [][]byte) {
	size := 0
	for _, p := range slices.Backward(posts[max(0, len(posts)-keptMost):]) {
		line, err := json.Marshal(p)
		if err != nil {
			panic(fmt.Sprintf("webhook: %s is no JSON: %v", p.ID, err)) // its body was made by package json
		}
		if size += len(line) + 1; size > keptBytes {
			break
		}
		all = append(all, line)
	}
	slices.Reverse(all)
	return all
}

// idForm is that of our ids: what else a header might make of another one is
// not to be found out.
var idForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,300}$`)

// decode reads a line. Anybody may have written it.
func decode(line []byte) (post, error) {
	var p post
	if err := json.Unmarshal(line, &p); err != nil {
		return post{}, err
	}
	switch {
	case !idForm.MatchString(p.ID):
		return post{}, fmt.Errorf("%.40q is no id of ours", p.ID)
	case len(p.Body) == 0 || p.Body[0] != '{':
		return post{}, fmt.Errorf("%s is no event", p.ID)
	}
	return p, nil
}
