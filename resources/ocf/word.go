package ocf

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/systole-ha/systole/resources"
)

// A Word is what a word of haresources says of an OCF agent.
type Word struct {
	Provider   string // a folder of resource.d, "heartbeat"; empty for the first that has the agent
	Type       string // the agent's name: "Dummy"
	Instance   string // of a file of parameters, as Heartbeat has it; empty for none
	Parameters []Parameter
}

// A Parameter is one of an agent's.
type Parameter struct{ Name, Value string }

// ErrWord is wrapped by every error of Parse.
var ErrWord = errors.New("not an OCF agent")

// Is reports that a word means an OCF agent.
func Is(s resources.Spec) bool { return s.Name == "OCF" || strings.HasPrefix(s.Name, prefix) }

const prefix = "ocf:"

// Parse reads the words for agents. Heartbeat's own is
//
//	OCF::type::instance
//
// where instance is a file with the parameters; it also takes parameters, and
// the type may have its provider before it:
//
//	OCF::provider:type::name=value::name=value
//
// The second form is Pacemaker's, and not for a Heartbeat 3.0.6 peer:
//
//	ocf:provider:type::name=value::name=value
func Parse(s resources.Spec) (Word, error) {
	agent, rest := strings.TrimPrefix(s.Name, prefix), s.Args
	if s.Name == "OCF" {
		if len(rest) == 0 {
			return Word{}, fmt.Errorf("%w: write OCF::type::instance, or OCF::provider:type::name=value", ErrWord)
		}
		agent, rest = rest[0], rest[1:]
	}
	var w Word
	w.Type = agent
	if provider, name, both := strings.Cut(agent, ":"); both {
		w.Provider, w.Type = provider, name
		if !isName(provider) {
			return Word{}, fmt.Errorf("%w: %q is no name of a provider", ErrWord, provider)
		}
	}
	if !isName(w.Type) {
		return Word{}, fmt.Errorf("%w: %q is no name of an agent", ErrWord, w.Type)
	}
	for i, argument := range rest {
		name, value, both := strings.Cut(argument, "=")
		switch {
		case both && !isVariable(name):
			return Word{}, fmt.Errorf("%w: %q is no name of a parameter", ErrWord, name)
		case both:
			w.Parameters = append(w.Parameters, Parameter{name, value})
		case i > 0 || !isName(argument):
			return Word{}, fmt.Errorf("%w: %q is no parameter: write name=value", ErrWord, argument)
		default:
			w.Instance = argument
		}
	}
	return w, nil
}

// Parse reports whether a word makes sense, on any machine.
func (d *Driver) Parse(s resources.Spec) error {
	_, err := Parse(s)
	return err
}

// isName reports that a text can be the name of a file in a folder, and of an
// agent.
func isName(text string) bool {
	return text != "" && text[0] != '.' && !strings.ContainsFunc(text, func(r rune) bool { return !isWordly(r) && r != '-' && r != '.' })
}

// isVariable reports that a text can be the end of a variable's name in a shell.
func isVariable(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool { return !isWordly(r) })
}

func isWordly(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_'
}

// mostInstance bounds the name of an instance, in bytes: agents make files of it.
const mostInstance = 80

// InstanceName is the name of the instance for the agent, of which there may be
// others on this machine. It is the same at every run: agents find their state
// by it.
func (w Word) InstanceName() string {
	if w.Instance != "" {
		return w.Instance
	}
	name := w.Type
	for _, p := range w.Parameters {
		name += "_" + p.Value
	}
	plain := strings.Map(func(r rune) rune {
		if isWordly(r) || r == '-' || r == '.' {
			return r
		}
		return '_'
	}, name)
	if plain == name && len(name) <= mostInstance {
		return name
	}
	sum := sha256.Sum256([]byte(fmt.Sprintf("%q", w.Parameters)))
	return plain[:min(len(plain), mostInstance)] + "_" + hex.EncodeToString(sum[:4])
}
