package probe

import (
	"context"
	"fmt"
	"strings"

	"github.com/lvsd/lvsd/checker"
)

func init() { register(checker.IMAP{}, compileIMAP) }

// compileIMAP returns the run that passes when a server greets by IMAP, and lets a user
// in if there is one.
func compileIMAP(p *Prober, o checker.IMAP) (run, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	return newChannel(p.authorities, o.Channel, "z LOGOUT").letting(newLogin(p.passwords, o.Login), talkIMAP), nil
}

// talkIMAP leads a conversation by RFC 9051, up to where mail would be read.
func talkIMAP(ctx context.Context, d *dialogue, l login) error {
	d.unasked = true // Untagged lines may come at any time.
	greeting, err := d.line()
	if err != nil {
		return err
	}
	word, known := untagged(greeting)
	if !known || word != "OK" && word != "PREAUTH" {
		return because(checker.WrongStatus, fmt.Errorf("the server greets by %s, want * OK", d.quote(greeting)))
	}
	if d.startTLS {
		if err := d.tagged("STARTTLS", "STARTTLS", d.stripped); err != nil {
			return err
		}
		if err := d.upgrade(ctx); err != nil {
			return err
		}
	}
	if l.user == "" {
		return nil
	}
	password, err := l.password(ctx)
	if err != nil {
		return err
	}
	d.secrets = []string{password, quotedIMAP(password)}
	return d.tagged("LOGIN", "LOGIN "+quotedIMAP(l.user)+" "+quotedIMAP(password), func(answer string) error {
		return because(checker.LoginRefused, fmt.Errorf("the server does not let user %q in: %s", l.user, d.quote(answer)))
	})
}

// tagged says a command, and reads lines up to the one that answers it. Where that is
// not OK, it returns what refused makes of it.
func (d *dialogue) tagged(name, command string, refused func(answer string) error) error {
	const tag = "a "
	if err := d.say(name, tag+command); err != nil {
		return err
	}
	for {
		line, err := d.line()
		if err != nil {
			return err
		}
		if answer, ok := strings.CutPrefix(line, tag); ok {
			if status, _, _ := strings.Cut(answer, " "); strings.EqualFold(status, "OK") {
				return nil
			}
			return refused(answer)
		}
		switch word, known := untagged(line); {
		case word == "BYE":
			return because(checker.WrongStatus, fmt.Errorf("the server says goodbye while %s: %s", d.stage, d.quote(line)))
		case !known:
			return fmt.Errorf("%s came while %s, and that is no line of IMAP", d.quote(line), d.stage)
		}
	}
}

// untagged returns the first word of an untagged line, in upper case.
func untagged(line string) (word string, ok bool) {
	rest, ok := strings.CutPrefix(line, "* ")
	word, _, _ = strings.Cut(rest, " ")
	return strings.ToUpper(word), ok
}

// quotedIMAP returns a text as a quoted string (RFC 9051, section 9).
func quotedIMAP(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
