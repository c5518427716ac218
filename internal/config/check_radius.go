package config

import (
	"slices"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
)

var checkRadius = newCheckKind("radius", "The RADIUS server answers a login as it should, or, without user, tells its status (RFC 5997). A server answers nobody whom it does not know, and nobody who has another secret: both are silence.",
	radiusTable, (*radiusCheck).self, func(b *block.Body, c *radiusCheck) probe { return c.compile(b) })

type radiusCheck struct {
	probe
	login, secret login
	answer        string
}

var radiusTable = block.NewTable("check", func() []block.Entry[radiusCheck] {
	return slices.Concat(networked(viaTable, (*radiusCheck).self),
		loginOptions(func(c *radiusCheck) *login { return &c.login }),
		[]block.Entry[radiusCheck]{
			block.Text("secret_file", "The file that has the secret which the server shares with this director, under the same rules as password_file.",
				"", secretFile("secret_file", "/etc/lvsd/radius.secret", "secret"), func(c *radiusCheck) *string { return &c.secret.file }).Within("an absolute path").Unless("secret_credential").Secret(),
			block.Text("secret_credential", "The name of a credential of systemd that has it, in place of a file.",
				"", credential, func(c *radiusCheck) *string { return &c.secret.credential }).Within("a name").Unless("secret_file"),
			block.Choice("answer", "What the server must answer to the login. A user who must be rejected needs no account.", "accept",
				[]block.Word[string]{{Name: "accept", Value: ""}, {Name: "reject", Value: "reject"}, {Name: "challenge", Value: "challenge"}, {Name: "any", Value: "any", Help: "Any of these: the server has judged the login."}},
				func(c *radiusCheck) *string { return &c.answer }),
		})
})

// compile works out what a check asks.
func (c *radiusCheck) compile(b *block.Body) probe {
	o := checker.Radius{Login: c.login.withBoth(b), Secret: c.secret.secret(b, "secret_file", "secret_credential"), Answer: c.answer}
	switch {
	case o.Secret == (checker.Secret{}) && !b.Given("secret_file") && !b.Given("secret_credential"):
		b.Mistake(b.Head, "Missing secret", "A server is asked with the secret that it shares with this director: write secret_file = \"/etc/lvsd/radius.secret\".")
	case o.User == "" && b.Given("answer"):
		b.Mistake(b.At("answer"), "Answer without user", "Nobody logs in: write user and password_file, or remove answer.")
	case o.User == "":
		o.Answer = "" // of the defaults
	case len(o.User) > checker.MaxRadius:
		b.Mistake(b.At("user"), "Long user", "RADIUS has room for %d bytes, and the user's name has %d: shorten it.", checker.MaxRadius, len(o.User))
	}
	return c.asking(b, o)
}
