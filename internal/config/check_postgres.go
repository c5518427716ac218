package config

import (
	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
)

var checkPostgres = newCheckKind("postgres", "The server accepts a login by PostgreSQL's protocol, and answers a query as expected. Without user, it must only judge a login: the check asks as \"lvsd\" for the database postgres, and goes when it is asked for a password.",
	postgresTable, (*sqlCheck).self, func(b *block.Body, c *sqlCheck) probe { return c.asking(b, checker.Postgres{SQL: c.compile(b)}) })

var postgresTable = newSQLTable()
