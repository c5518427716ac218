package checker

import "fmt"

// Redis is a probe that passes when a server of Redis's protocol (Redis, Valkey, KeyDB)
// answers PING, and has the role that it should have.
type Redis struct {
	Login
	// TLS is spoken on the connection; nil: it is not.
	TLS *TLS `json:"tls,omitempty"`
	// Role is what the server must be, one of RedisRoles; empty: any.
	Role string `json:"role,omitempty"`
}

// RedisRoles are the roles of a server.
var RedisRoles = []string{"master", "replica"}

// Kind returns "redis".
func (Redis) Kind() string { return "redis" }

// Validate returns what is wrong with the options of the probe; nil if they can be used.
func (o Redis) Validate() error {
	if o.Role != "" && o.Role != RedisRoles[0] && o.Role != RedisRoles[1] {
		return fmt.Errorf("role %q must be master or replica", o.Role)
	}
	return ValidateSession(o.Login, o.TLS)
}
