package api

// A RealServer is what this machine is as a real server: the answer of lvsd realserver.
type RealServer struct {
	SchemaVersion int `json:"schema_version"`
	// Path and Node are the configuration, and the director as which it was read.
	Path string `json:"path"`
	Node string `json:"node"`
	// OK: it is as it should be now.
	OK bool `json:"ok"`
	// Error says why something could not be changed; empty: everything could.
	Error string `json:"error,omitempty"`
	// Services are those of which it is a real server.
	Services []Serving `json:"services"`
	// Done are the changes that were made, and Left those that were not: by check none is.
	Done []HostChange `json:"done"`
	Left []HostChange `json:"left"`
}

// A Serving is a virtual service of which this machine is a real server.
type Serving struct {
	Service string `json:"service"`
	// Virtual is what the service is for: "10.13.0.200:80 (tcp)", "firewall mark 7".
	Virtual string `json:"virtual"`
	// Address is that of this machine, by which the configuration has it as a real server.
	Address string `json:"address"`
	Forward string `json:"forward"`
	// Note says what is not done for it; empty: nothing.
	Note string `json:"note,omitempty"`
}

// A HostChange is a change of this machine.
type HostChange struct {
	Action Action `json:"action"`
	// Part is what is changed: "address 10.13.0.200/32 on lo".
	Part string `json:"part"`
	// From is its value before, To the one that it should have; empty: there is none.
	From string `json:"from"`
	To   string `json:"to"`
	// Text says the same to people.
	Text string `json:"text"`
	// Services need it; none: it is given back what it was.
	Services []string `json:"services"`
}
