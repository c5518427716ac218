package checker

import (
	"errors"
	"fmt"
)

// SQL is what a probe asks of a database.
type SQL struct {
	Login
	// TLS is negotiated before the login; nil: it is not.
	TLS *TLS `json:"tls,omitempty"`
	// Database is the one that is asked; empty: none, or the user's.
	Database string `json:"database,omitempty"`
	// Query is what is asked; empty: nothing, the login is enough.
	Query string `json:"query,omitempty"`
	// Expect is what the rows must have: the columns of each joined by tabs, and the
	// rows by line ends.
	Expect Expect `json:"expect,omitzero"`
}

// Anonymous is whom a probe of a database logs in as that has no user. It is not known
// there, which is as good an answer.
const Anonymous = "lvsd"

// Validate returns what is wrong with the options of the probe; nil if they can be used.
func (o SQL) Validate() error {
	switch {
	case len(o.Query) > MaxSend:
		return fmt.Errorf("the query has %d bytes, and the limit is %d", len(o.Query), MaxSend)
	case len(o.Database) > MaxUser || !isText(o.Database):
		return fmt.Errorf("database %.40q must be text without control characters, of up to %d bytes", o.Database, MaxUser)
	case o.Query == "" && !o.Expect.Empty():
		return errors.New("what is expected must be the answer to a query")
	case o.User == "" && (o.Query != "" || o.Database != "" || o.Password != Secret{}):
		return errors.New("a query, a database and a password need a user")
	}
	return errors.Join(ValidateSession(o.Login, o.TLS), o.Expect.Validate())
}

// MySQL is a probe that passes when a server of MySQL's protocol (MariaDB, MySQL)
// accepts a login, and answers a query as expected. Without a user, it passes when
// the server has judged a login, whatever it thinks of it.
type MySQL struct{ SQL }

// Kind returns "mysql".
func (MySQL) Kind() string { return "mysql" }

// Postgres is the same for a server of PostgreSQL's protocol.
type Postgres struct{ SQL }

// Kind returns "postgres".
func (Postgres) Kind() string { return "postgres" }
