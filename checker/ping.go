package checker

// Ping is a probe that passes when an ICMP echo request is answered.
type Ping struct {
	// OwnRoute: it is this director that is tried, so one without a route has Failed.
	OwnRoute bool `json:"own_route,omitempty"`
}

// Kind returns "ping".
func (Ping) Kind() string { return "ping" }
