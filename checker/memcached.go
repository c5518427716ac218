package checker

// Memcached is a probe that passes when a server of memcached's text protocol tells its
// version.
type Memcached struct {
	Login
	// TLS is spoken on the connection; nil: it is not.
	TLS *TLS `json:"tls,omitempty"`
}

// Kind returns "memcached".
func (Memcached) Kind() string { return "memcached" }

// Validate returns what is wrong with the options of the probe; nil if they can be used.
func (o Memcached) Validate() error { return ValidateSession(o.Login, o.TLS) }
