package kinds

import (
	"os/exec"

	"github.com/lvsd/lvsd/checker"
)

// postgresPrograms is where Debian has those that are not for everybody.
const postgresPrograms = "/usr/lib/postgresql/15/bin/"

func init() {
	register(server{
		name: "postgresql", port: 5432,
		start: func(at *site) *exec.Cmd {
			certificate, key := at.certificate()
			at.write("password", "secret\n")
			at.must(at.as("postgres", at.command(postgresPrograms+"initdb", "-D", "$DIR/data", "-U", "root", "--auth=scram-sha-256", "--pwfile=$DIR/password", "--no-sync")))
			at.write("hba", "local all root trust\nhost all by_md5 all md5\nhost all open all trust\nhostssl all secure all scram-sha-256\nhost all checks,lvsd all scram-sha-256\nhost all clear all password\n")
			exec.Command("chmod", "600", key).Run()
			return at.as("postgres", at.command(postgresPrograms+"postgres", "-D", "$DIR/data", "-h", "$ADDR", "-k", "$DIR", "-c", "hba_file=$DIR/hba", "-c", "fsync=off",
				"-c", "ssl=on", "-c", "ssl_cert_file="+certificate, "-c", "ssl_key_file="+key))
		},
		ready: func(at *site) {
			at.must(at.command("sh", "-c", "until "+postgresPrograms+"pg_isready -q -h $DIR; do sleep 0.1; done"))
			at.must(at.command(postgresPrograms+"psql", "-h", "$DIR", "-U", "root", "-d", "postgres", "-v", "ON_ERROR_STOP=1", "-c", `
				CREATE ROLE checks LOGIN PASSWORD 'secret'; CREATE ROLE open LOGIN; CREATE ROLE secure LOGIN PASSWORD 'secret'; CREATE ROLE clear LOGIN PASSWORD 'secret';
				SET password_encryption = 'md5'; CREATE ROLE by_md5 LOGIN PASSWORD 'secret';
				CREATE TABLE state (ready INT, note TEXT); INSERT INTO state VALUES (1, NULL); GRANT SELECT ON state TO checks`))
		},
		passes: func(at *site) checker.Options {
			o := sqlAs(at, "checks", "secret")
			o.Database, o.Query, o.Expect.Pattern = "postgres", "SELECT ready, note FROM state", `(?m)^1\tNULL$`
			return checker.Postgres{SQL: o}
		},
		rows:      postgresRows,
		complaint: `LOG:.*(unexpected EOF|could not receive|invalid|incomplete|expected)|connection reset`,
	})
}

func postgresRows(at *site) []row {
	as := func(user, password string) checker.SQL {
		o := sqlAs(at, user, password)
		o.Database = "postgres"
		return o
	}
	in := as("checks", "secret")
	asks := func(query, pattern string) checker.Postgres {
		o := in
		o.Query, o.Expect.Pattern = query, pattern
		return checker.Postgres{SQL: o}
	}
	open, secure, nowhere := checker.SQL{Login: checker.Login{User: "open"}, Database: "postgres"}, as("secure", "secret"), in
	secure.TLS, nowhere.Database = &checker.TLS{Insecure: true}, "nowhere"
	unarmed := in
	unarmed.Login.Password = checker.Secret{}
	return []row{
		{"a login by SCRAM", checker.Postgres{SQL: in}, checker.Passed, ""},
		{"a login by md5", checker.Postgres{SQL: as("by_md5", "secret")}, checker.Passed, ""},
		{"a login by the password itself", checker.Postgres{SQL: as("clear", "secret")}, checker.Passed, ""},
		{"a login without a password", checker.Postgres{SQL: open}, checker.Passed, ""},
		{"a login by TLS", checker.Postgres{SQL: secure}, checker.Passed, ""},
		{"nobody", checker.Postgres{}, checker.Passed, ""},
		{"nobody by TLS", checker.Postgres{SQL: checker.SQL{TLS: &checker.TLS{Insecure: true}}}, checker.Passed, ""},
		{"a wrong password", checker.Postgres{SQL: as("checks", "wrong")}, checker.Failed, `password authentication failed for user \"checks\"`},
		{"a wrong password by md5", checker.Postgres{SQL: as("by_md5", "wrong")}, checker.Failed, "(28P01)"},
		{"no password", checker.Postgres{SQL: unarmed}, checker.Failed, "the server wants a password: set password_file"},
		{"an unknown database", checker.Postgres{SQL: nowhere}, checker.Failed, `database \"nowhere\" does not exist`},
		{"a user without a way in", checker.Postgres{SQL: as("stranger", "secret")}, checker.Failed, "no pg_hba.conf entry"},
		{"another row", asks("SELECT 0", "^1\n"), checker.Failed, `the answer does not match "^1\n"; it begins with "0\n"`},
		{"a table that there is not", asks("SELECT 1 FROM nothing", ""), checker.Failed, "(42P01)"},
		{"no row", asks("SELECT ready FROM state WHERE ready = 2", "."), checker.Failed, "the answer is empty"},
		{"several statements", asks("SELECT 1; SELECT 2", "^1\n2\n$"), checker.Passed, ""},
		{"data that the client is to send", asks("COPY state FROM STDIN", ""), checker.Failed, "permission denied"},
		{"more than anybody reads", asks("SELECT repeat('x', 90000)", "x"), checker.Failed, "are looked at"},
	}
}
