package mail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/mark"
	"github.com/systole-ha/systole/resources/process"
	"github.com/systole-ha/systole/resources/resourcetest"
)

var spec, text, ok = resourcetest.Spec, resourcetest.Text, resourcetest.OK

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		name, word string
		to         []string
		subject    string
		err        string
	}{
		{name: "an address", word: "MailTo::root@example.com", to: []string{"root@example.com"}, subject: "Resource Group"},
		{name: "a user of this machine", word: "MailTo::root", to: []string{"root"}, subject: "Resource Group"},
		{name: "several, and a subject", word: "MailTo::root,a.b@example.com::Web", to: []string{"root", "a.b@example.com"}, subject: "Web"},
		{name: "a subject of one character is none, as in the agent", word: "MailTo::root::W", to: []string{"root"}, subject: "Resource Group"},
		{name: "one of two", word: "MailTo::root::WW", to: []string{"root"}, subject: "WW"},
		{name: "nobody", word: "MailTo", err: "MailTo takes an address and, optional, a subject, as in MailTo::root@example.com::Web"},
		{name: "addresses as arguments", word: "MailTo::a@example.com::b@example.com::Web", err: "MailTo takes an address and a subject; write several addresses with commas between them, as in MailTo::root,admin@example.com::Web"},
		{name: "a comma too many", word: "MailTo::root,", err: `"" is not a mail address, as in root@example.com`},
		{name: "an option of the mailer's", word: "MailTo::-Cfile", err: `"-Cfile" is not a mail address, as in root@example.com`},
		{name: "half an address", word: "MailTo::root@", err: `"root@" is not a mail address, as in root@example.com`},
		{name: "a name with its address", word: "MailTo::<root@example.com>", err: `"<root@example.com>" is not a mail address, as in root@example.com`},
		{name: "a line that would be a header", word: "MailTo::root::Web\nBcc:everybody", err: `the subject "Web\nBcc:everybody" has characters that cannot be printed`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Parse(spec(t, tt.word))
			if !slices.Equal(got.To, tt.to) || got.Subject != tt.subject || text(err) != tt.err {
				t.Errorf("Parse(%q):\n got %v, %q\nwant %v of %v, %q", tt.word, got, text(err), tt.subject, tt.to, tt.err)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, word := range []string{"MailTo::root", "MailTo::a@example.com,b@example.com::Größe", "MailTo::root::a b"} {
		f.Add(word)
	}
	f.Fuzz(func(t *testing.T, word string) {
		s, err := resources.ParseSpec(word)
		if err != nil {
			return
		}
		n, err := Parse(s)
		if err != nil {
			return
		}
		m, err := mail.ReadMessage(strings.NewReader(n.message(starts, "alpha", time.Unix(0, 0), s)))
		if err != nil {
			t.Fatalf("the message for %q: %v", word, err)
		}
		if len(m.Header) != 7 {
			t.Errorf("the message for %q has the headers %v", word, m.Header)
		}
	})
}

// A post office keeps what a mailer was given.
type office struct {
	t   *testing.T
	dir string
}

// driver has a mailer that delivers to the office.
func (o office) driver(report func(resources.Spec, error)) *Driver {
	mailer := filepath.Join(o.dir, "sendmail")
	script := "#!/bin/sh\n{ echo \"$*\"; cat; } > " + o.dir + "/mail\n"
	ok(o.t, os.WriteFile(mailer, []byte(script), 0o700))
	d := New(mark.In(o.t.TempDir()), &process.Direct{}, report)
	d.mailer, d.node = mailer, "alpha"
	return d
}

// take takes the mail out of the office.
func (o office) take() (arguments string, m *mail.Message, body string) {
	o.t.Helper()
	b, err := os.ReadFile(filepath.Join(o.dir, "mail"))
	ok(o.t, err)
	ok(o.t, os.Remove(filepath.Join(o.dir, "mail")))
	arguments, rest, _ := strings.Cut(string(b), "\n")
	m, err = mail.ReadMessage(strings.NewReader(rest))
	ok(o.t, err)
	all, err := io.ReadAll(m.Body)
	ok(o.t, err)
	return arguments, m, string(all)
}

func TestMails(t *testing.T) {
	o := office{t, t.TempDir()}
	d := o.driver(func(_ resources.Spec, err error) { t.Error(err) })
	s := spec(t, "MailTo::root,admin@example.com::Webserver-für-'alle'-$HOME")
	for _, step := range []struct {
		do     func(context.Context, resources.Spec) error
		then   resources.Status
		what   string
		silent bool
	}{
		{do: d.Stop, then: resources.Stopped, silent: true},
		{do: d.Start, then: resources.Running, what: "Takeover in progress at "},
		{do: d.Start, then: resources.Running, silent: true},
		{do: d.Stop, then: resources.Stopped, what: "Migrating resource away at "},
		{do: d.Stop, then: resources.Stopped, silent: true},
	} {
		ok(t, step.do(t.Context(), s))
		d.under.Wait()
		if got, err := d.Status(t.Context(), s); got != step.then || err != nil {
			t.Errorf("status: got %v, %v; want %v", got, err, step.then)
		}
		if step.silent {
			if _, err := os.Stat(filepath.Join(o.dir, "mail")); err == nil {
				t.Error("a mail about nothing")
			}
			continue
		}
		arguments, m, body := o.take()
		if want := "-i -- root admin@example.com"; arguments != want {
			t.Errorf("the mailer's arguments:\n got %s\nwant %s", arguments, want)
		}
		subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
		if want := "Webserver-für-'alle'-$HOME " + step.what; err != nil || !strings.HasPrefix(subject, want) || !strings.HasSuffix(subject, " alpha") {
			t.Errorf("the subject:\n got %s, %v\nwant %s…", subject, err, want)
		}
		if want := "\n" + s.String() + "\n"; !strings.Contains(body, want) {
			t.Errorf("the mail does not say of what it is:\n%s", body)
		}
		if got := m.Header.Get("To"); got != "root, admin@example.com" {
			t.Errorf("it is to %s", got)
		}
	}
}

// A hanging runner runs programs that never end by themselves.
type hanging struct{ process.Runner }

func (hanging) Run(ctx context.Context, _ process.Job) (process.Result, error) {
	<-ctx.Done()
	return process.Result{}, ctx.Err()
}

// TestMailerThatHangs keeps nobody from taking over.
func TestMailerThatHangs(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		told := make(chan error, 100)
		d := New(mark.In(dir), hanging{}, func(_ resources.Spec, err error) { told <- err })
		began := time.Now()
		for i := range mostUnderWay {
			ok(t, d.Start(t.Context(), spec(t, fmt.Sprintf("MailTo::root::group%d", i))))
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("the starts took %v, want no time", took)
		}
		if len(told) > 0 {
			t.Errorf("told of %v before the time of the mailer is up", <-told)
		}
		ok(t, d.Start(t.Context(), spec(t, "MailTo::root::onemore")))
		if err := <-told; text(err) != "not sent: 20 mails are on their way already" {
			t.Errorf("of one mail too many: %v", err)
		}
		ok(t, d.Close())
		if took := time.Since(began); took != closeTime {
			t.Errorf("Close took %v, want %v", took, closeTime)
		}
		d.under.Wait()
		if took := time.Since(began); took != sendTime {
			t.Errorf("the mails were given up after %v, want %v", took, sendTime)
		}
		for range mostUnderWay {
			if err := <-told; !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("told of %v, want the end of the time", err)
			}
		}
	})
}

// TestMailThatIsRefused is told of, and does not fail the start.
func TestMailThatIsRefused(t *testing.T) {
	o := office{t, t.TempDir()}
	var told error
	d := o.driver(func(_ resources.Spec, err error) { told = err })
	ok(t, os.WriteFile(d.mailer, []byte("#!/bin/sh\ncat >/dev/null\necho no such user >&2\nexit 67\n"), 0o700))
	s := spec(t, "MailTo::nobody-here")
	ok(t, d.Start(t.Context(), s))
	d.under.Wait()
	if want := "a mail to nobody-here was not sent: exit status 67: no such user"; text(told) != want {
		t.Errorf("told:\n got %v\nwant %s", told, want)
	}
	if got, err := d.Status(t.Context(), s); got != resources.Running || err != nil {
		t.Errorf("status: got %v, %v; want running", got, err)
	}
}

func TestCheck(t *testing.T) {
	o := office{t, t.TempDir()}
	d := o.driver(func(resources.Spec, error) {})
	if got := d.Check(t.Context(), spec(t, "MailTo::root")); len(got) > 0 {
		t.Errorf("with a mailer: %v", got)
	}
	d.mailer = "/nonexistent/sendmail"
	got := d.Check(t.Context(), spec(t, "MailTo::root"))
	want := []resources.Finding{{Text: "no mail will be sent: there is no /nonexistent/sendmail; a mail server such as postfix or msmtp-mta brings one"}}
	if !slices.Equal(got, want) {
		t.Errorf("without:\n got %v\nwant %v", got, want)
	}
}
