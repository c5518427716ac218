package config

import (
	"slices"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
)

// A sqlCheck is a check of a database.
type sqlCheck struct {
	probe
	login    login
	database string
	query    string
	expect   answer
	tls      optionalTLS
}

// newSQLTable returns the table of a check of a database.
func newSQLTable() *block.Table[sqlCheck] {
	return block.NewTable("check", func() []block.Entry[sqlCheck] {
		return slices.Concat(networked(tcpViaTable, (*sqlCheck).self),
			loginOptions(func(c *sqlCheck) *login { return &c.login }),
			[]block.Entry[sqlCheck]{
				validText("database", "The database that is asked.", "", func(s string) error { return checker.SQL{Login: checker.Login{User: "-"}, Database: s}.Validate() },
					func(c *sqlCheck) *string { return &c.database }).Unless("that of the user, or none"),
				validText("query", "What is asked after the login, in SQL. Give the user no rights beyond it.", "", func(s string) error { return checker.SQL{Login: checker.Login{User: "-"}, Query: s}.Validate() },
					func(c *sqlCheck) *string { return &c.query }).Unless("nothing").Secret(),
				block.Inner("expect", "What the query's rows must have: text that the columns of each, with tabs between, and a line's end make. Without this block, the query must only not fail.", answerTable, func(c *sqlCheck) *answer { return &c.expect }),
				block.Inner("tls", "Negotiate TLS before the login, and verify the server's certificate, which must be valid for the server's address unless this block says otherwise. It can be empty.",
					tlsTable, func(c *sqlCheck) *tlsOptions { return &c.tls.tlsOptions }),
			})
	})
}

// compile works out what a check asks.
func (c *sqlCheck) compile(b *block.Body) checker.SQL {
	o := checker.SQL{Login: c.login.compile(b), TLS: c.tls.compile(b), Database: c.database, Query: c.query, Expect: c.expect.compile(b)}
	switch expects, given := b.Block("expect"); {
	case o.User == "" && !b.Given("user") && (o.Query != "" || o.Database != "" || o.Password != checker.Secret{}):
		b.Mistake(b.Head, "Missing user", "A query, a database and a password need a user: write user = \"lvsd\", or remove them.")
	case given && o.Query == "" && !b.Given("query"):
		b.Mistake(expects.Head, "Expectation without query", "Nothing is asked: write query = \"SELECT 1\", or remove this block.")
	}
	return o
}
