package event

import (
	"fmt"
	"iter"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Fields yields the fields of an event in the order of its struct, under the
// names that people and machines read: lower case with underscores, durations
// under their bare name as time.Duration. Fields with their zero value are
// left out, except whole numbers, of which 0 says something: no link left, the
// user root.
func Fields(e Event) iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		v := reflect.ValueOf(e)
		for i := range v.NumField() {
			if f := v.Field(i); f.IsZero() && (!f.CanInt() && !f.CanUint() || f.Type() == reflect.TypeFor[time.Duration]()) {
				continue
			}
			if !yield(snake(v.Type().Field(i).Name), v.Field(i).Interface()) {
				return
			}
		}
	}
}

// Text renders an event on one line: its kind, then key=value for each field,
// values with blanks quoted.
func Text(e Event) string {
	var b strings.Builder
	b.WriteString(e.Kind())
	for name, value := range Fields(e) {
		b.WriteByte(' ')
		b.WriteString(name)
		b.WriteByte('=')
		b.WriteString(Value(value))
	}
	return b.String()
}

// Value renders one field as Text does.
func Value(value any) string {
	switch v := value.(type) {
	case []string:
		return quoted(strings.Join(v, ","))
	case time.Time:
		return v.Format("2006-01-02T15:04:05.000Z07:00")
	}
	return quoted(fmt.Sprint(value))
}

func quoted(s string) string {
	if s == "" || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || r == '"' || !unicode.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}

// Map renders the fields for JSON: durations become seconds as numbers under
// name_seconds, times RFC 3339 with milliseconds.
func Map(e Event) map[string]any {
	m := map[string]any{}
	for name, value := range Fields(e) {
		switch v := value.(type) {
		case time.Duration:
			m[name+"_seconds"] = v.Seconds()
		case time.Time:
			m[name] = v.Format("2006-01-02T15:04:05.000Z07:00")
		default:
			m[name] = value
		}
	}
	return m
}

// snake turns a Go name into one with underscores: "LastHeard" → "last_heard",
// "UID" → "uid".
func snake(name string) string {
	var b strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) {
			after := i > 0 && unicode.IsLower(rune(name[i-1]))
			before := i > 0 && i+1 < len(name) && unicode.IsLower(rune(name[i+1]))
			if after || before {
				b.WriteByte('_')
			}
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
