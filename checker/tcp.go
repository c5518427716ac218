package checker

// TCP is a probe that passes when a connection is established.
type TCP struct{}

// Kind returns "tcp".
func (TCP) Kind() string { return "tcp" }
