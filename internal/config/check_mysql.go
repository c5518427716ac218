package config

import (
	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
)

var checkMySQL = newCheckKind("mysql", "The server accepts a login by MySQL's protocol (MariaDB, MySQL), and answers a query as expected. Without user, the check logs in as \"lvsd\" without a password, and passes also where that is refused, since it was judged: create this user without any rights, or the server logs each check.",
	mysqlTable, (*sqlCheck).self, func(b *block.Body, c *sqlCheck) probe { return c.asking(b, checker.MySQL{SQL: c.compile(b)}) })

var mysqlTable = newSQLTable()
