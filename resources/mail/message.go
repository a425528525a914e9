package mail

import (
	"fmt"
	"mime"
	"net/mail"
	"strings"
	"time"

	"github.com/systole-ha/systole/resources"
)

// A Notice is what a MailTo is for.
type Notice struct {
	To      []string // addresses, or names of users of this machine
	Subject string
}

// unset is the subject of a MailTo without one.
const unset = "Resource Group"

// Parse reads the arguments of a MailTo: address[,address]…[::subject]. A name
// without "@" is a user of this machine, as for mail(1).
//
// Source: resource.d/MailTo of heartbeat 3.0.6 and the agent in resource-agents
// that it calls. The agent takes a subject of one character for none; so does
// this.
func Parse(s resources.Spec) (n Notice, err error) {
	switch len(s.Args) {
	case 1, 2:
	case 0:
		return n, fmt.Errorf("%s takes an address and, optional, a subject, as in %s::root@example.com::Web", s.Name, s.Name)
	default:
		return n, fmt.Errorf("%s takes an address and a subject; write several addresses with commas between them, as in %s::root,admin@example.com::Web", s.Name, s.Name)
	}
	for address := range strings.SplitSeq(s.Args[0], ",") {
		if !isAddress(address) {
			return Notice{}, fmt.Errorf("%q is not a mail address, as in root@example.com", address)
		}
		n.To = append(n.To, address)
	}
	n.Subject = unset
	if len(s.Args) > 1 && len([]rune(s.Args[1])) > 1 {
		n.Subject = s.Args[1]
	}
	if strings.ContainsFunc(n.Subject, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xfffd }) {
		return Notice{}, fmt.Errorf("the subject %q has characters that cannot be printed", n.Subject)
	}
	return n, nil
}

// isAddress accepts user and user@host, and nothing that a program could take
// for an option or a header for its end.
func isAddress(text string) bool {
	if text == "" || strings.HasPrefix(text, "-") || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return false
	}
	if !strings.Contains(text, "@") {
		return !strings.ContainsAny(text, `<>()[]:;\"`)
	}
	a, err := mail.ParseAddress(text)
	return err == nil && a.Address == text && a.Name == ""
}

// message is what is sent: the subject as the script writes it, the time, and
// that it was a machine that wrote (RFC 3834).
func (n Notice) message(what, node string, now time.Time, s resources.Spec) string {
	subject := n.Subject + " " + fmt.Sprintf(what, now.Format(time.UnixDate), node)
	headers := []string{
		"To: " + strings.Join(n.To, ", "),
		"Subject: " + mime.QEncoding.Encode("utf-8", subject),
		"Date: " + now.Format(time.RFC1123Z),
		"Auto-Submitted: auto-generated",
		"MIME-Version: 1.0",
		"Content-Type: text/plain; charset=utf-8",
		"Content-Transfer-Encoding: 8bit",
	}
	body := []string{"", subject, "", "This was written by systole on " + node + " for the resource", s.String()}
	return strings.Join(append(headers, body...), "\n") + "\n"
}

// What the script says of a start and of a stop: when, and where.
const (
	starts = "Takeover in progress at %s on %s"
	stops  = "Migrating resource away at %s from %s"
)
