package kinds

import (
	"os/exec"

	"github.com/lvsd/lvsd/checker"
)

func init() {
	register(server{
		name: "mariadb", port: 3306,
		start: func(at *site) *exec.Cmd {
			certificate, key := at.certificate()
			at.must(at.as("mysql", at.command("mariadb-install-db", "--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db", "--datadir=$DIR/data")))
			return at.as("mysql", at.command("mariadbd", "--no-defaults", "--datadir=$DIR/data", "--bind-address=$ADDR", "--socket=$DIR/socket", "--pid-file=$DIR/pid",
				"--innodb-buffer-pool-size=8M", "--innodb-log-file-size=4M", "--innodb-flush-log-at-trx-commit=0", "--ssl-cert="+certificate, "--ssl-key="+key, "--proxy-protocol-networks=127.0.0.0/8"))
		},
		ready: func(at *site) {
			at.must(at.command("mariadb", "--no-defaults", "-uroot", "-S", "$DIR/socket", "-e", `
				CREATE USER 'checks'@'%' IDENTIFIED BY 'secret'; CREATE USER 'open'@'%'; CREATE USER 'secure'@'%' IDENTIFIED BY 'secret' REQUIRE SSL;
				CREATE DATABASE shop; CREATE TABLE shop.state (ready INT, note VARCHAR(20)); INSERT INTO shop.state VALUES (1, NULL);
				GRANT SELECT ON shop.state TO 'checks'@'%'`))
		},
		passes: func(at *site) checker.Options {
			o := sqlAs(at, "checks", "secret")
			o.Database, o.Query, o.Expect.Pattern = "shop", "SELECT ready, note FROM state", `(?m)^1\tNULL$`
			return checker.MySQL{SQL: o}
		},
		rows:      mariadbRows,
		complaint: `without authentication|Got an error reading|\[ERROR\]`,
	})
}

func mariadbRows(at *site) []row {
	in, wrong, secure, open := sqlAs(at, "checks", "secret"), sqlAs(at, "checks", "wrong"), sqlAs(at, "secure", "secret"), checker.SQL{Login: checker.Login{User: "open"}}
	asks := func(query, pattern string) checker.MySQL {
		o := in
		o.Query, o.Expect.Pattern = query, pattern
		return checker.MySQL{SQL: o}
	}
	plain := secure
	secure.TLS = &checker.TLS{Insecure: true}
	nowhere := in
	nowhere.Database = "nowhere"
	return []row{
		{"a login", checker.MySQL{SQL: in}, checker.Passed, ""},
		{"a login as behind a proxy, by version 1", proxied{checker.MySQL{SQL: in}, checker.ProxyV1, 3306}, checker.Passed, ""},
		{"a login as behind a proxy, by version 2", proxied{checker.MySQL{SQL: in}, checker.ProxyV2, 3306}, checker.Passed, ""},
		{"a login without a password", checker.MySQL{SQL: open}, checker.Passed, ""},
		{"nobody", checker.MySQL{}, checker.Passed, ""},
		{"a login by TLS", checker.MySQL{SQL: secure}, checker.Passed, ""},
		{"a login that takes TLS, without it", checker.MySQL{SQL: plain}, checker.Failed, "Access denied for user 'secure'"},
		{"a wrong password", checker.MySQL{SQL: wrong}, checker.Failed, "Access denied for user 'checks'@"},
		{"an unknown database", checker.MySQL{SQL: nowhere}, checker.Failed, "to database 'nowhere'"},
		{"another row", asks("SELECT 0", "^1\n"), checker.Failed, `the answer does not match "^1\n"; it begins with "0\n"`},
		{"a table that there is not", asks("SELECT 1 FROM shop.none", ""), checker.Failed, "command denied"},
		{"no row", asks("SELECT ready FROM shop.state WHERE ready = 2", "."), checker.Failed, "the answer is empty"},
		{"a wide row", asks("SELECT REPEAT('x', 9000)", "^x{1000}"), checker.Passed, ""},
		{"more than anybody reads", asks("SELECT REPEAT('x', 90000)", "x"), checker.Failed, "are looked at"},
		{"no handshake was aborted", asks("SHOW GLOBAL STATUS LIKE 'Aborted_connects_preauth'", "\t0\n"), checker.Passed, ""},
		{"and no client went without a word", asks("SHOW GLOBAL STATUS LIKE 'Aborted_clients'", "\t0\n"), checker.Passed, ""},
	}
}

// sqlAs is a login to a database.
func sqlAs(at *site, user, password string) checker.SQL {
	return checker.SQL{Login: checker.Login{User: user, Password: checker.Secret{File: at.secret(password, password)}}}
}
