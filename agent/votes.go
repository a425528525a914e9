package agent

import (
	"context"

	"github.com/systole-ha/systole/agent/core"
	"github.com/systole-ha/systole/agent/permission"
)

// A Voter is an arbiter as this node reaches it. Its methods are called one at
// a time; ctx ends when the answer would come too late.
type Voter interface {
	// Vote asks for the vote, or that it lasts for q.Length from now.
	Vote(ctx context.Context, q permission.Question) permission.Answer
	// Release gives the vote back.
	Release(ctx context.Context, q permission.Question) error
	// Probe says why no vote could be asked for at present.
	Probe(ctx context.Context) error
	// Close lets go of connections.
	Close()
}

// questionsWaiting is how many questions may wait for one arbiter: that for
// which the loop has no use any more gives way to a newer one.
const questionsWaiting = 4

// ask hands questions to the goroutines that ask. It never waits: where too
// many wait, the newest is asked again in its turn.
func (a *Agent) ask(questions []permission.Question) {
	for _, q := range questions {
		select {
		case a.questions[q.Voter] <- q:
		default:
		}
	}
}

// consult asks one arbiter, question by question.
func (a *Agent) consult(ctx context.Context, v Voter, questions <-chan permission.Question) {
	defer v.Close()
	for {
		select {
		case q := <-questions:
			a.tell(core.Answered{Answer: consulted(ctx, v, q)})
		case <-ctx.Done():
			return
		}
	}
}

func consulted(ctx context.Context, v Voter, q permission.Question) permission.Answer {
	ctx, cancel := context.WithTimeout(ctx, q.Timeout)
	defer cancel()
	switch q.Want {
	case permission.Vote:
		answer := v.Vote(ctx, q)
		answer.Question = q
		return answer
	case permission.Release:
		return permission.Answer{Question: q, Err: v.Release(ctx, q)}
	}
	return permission.Answer{Question: q, Err: v.Probe(ctx)}
}
