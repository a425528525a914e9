package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"

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

// encode writes posts one a line. Where there are more than may be kept, the
// oldest are left out: kept is how many are in the text.
func encode(posts []post) (text []byte, kept int) {
	posts = posts[max(0, len(posts)-keptMost):]
	lines := make([][]byte, len(posts))
	from, size := len(posts), 0
	for from > 0 {
		line, err := json.Marshal(posts[from-1])
		if err != nil {
			panic(fmt.Sprintf("webhook: %s is no JSON: %v", posts[from-1].ID, err)) // its body was made by package json
		}
		if size += len(line) + 1; size > keptBytes {
			break
		}
		from--
		lines[from] = append(line, '\n')
	}
	return bytes.Join(lines[from:], nil), len(posts) - from
}

// idForm is that of our ids: what else a header might make of another one is
// not to be found out.
var idForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,300}$`)

// decode reads what encode wrote. Of a damaged text it is the posts before the
// damage.
func decode(text []byte) ([]post, error) {
	if len(text) > keptBytes {
		return nil, errors.New("they are too long to be ours")
	}
	var posts []post
	for line := range bytes.Lines(text) {
		var p post
		if err := json.Unmarshal(line, &p); err != nil {
			return posts, err
		}
		switch {
		case len(posts) == keptMost:
			return posts, errors.New("they are too many to be ours")
		case !idForm.MatchString(p.ID):
			return posts, fmt.Errorf("%.40q is no id of ours", p.ID)
		case len(p.Body) == 0 || p.Body[0] != '{':
			return posts, fmt.Errorf("%s is no event", p.ID)
		}
		posts = append(posts, p)
	}
	return posts, nil
}
