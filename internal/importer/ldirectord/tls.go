package ldirectord

import "github.com/lvsd/lvsd/internal/importer"

// unverified has a check speak TLS without verifying the certificate.
func unverified(b *importer.Block, does string) {
	b.Block("tls").Note(does+" Remove this line once they are valid:").Set("verify", importer.Bool(false))
}

// nameless has a check speak TLS in the place of one of ldirectord, which has Perl verify all
// but the name: the certificate must be signed by an authority that the director trusts.
// lvsd verifies both or neither, and a name that is wrong would take all servers out.
func (w *walk) nameless(s *service, b *importer.Block) {
	unverified(b, "ldirectord verifies who signed certificates, but not their names.")
	w.lose(importer.Differs, first(w.of(s, "service"), s.line),
		"ldirectord takes a server down whose certificate has ended, or is signed by no authority that the director trusts, whatever its name is; here, any certificate passes",
		`Write tls { server_name = "www.example.org" }, with a name in the certificates, in place of tls { verify = false }; and ca_file, if their authority is one of your own.`)
}
