package checker

// A Reason is what kind of failure a probe's was, for those who count them. What
// happened, in words, is the result's Detail.
type Reason uint8

// The reasons of failures; zero: the probe passed.
const (
	// Refused: the server's host refused the connection, or the datagram. That is
	// certain, where silence may be a lost packet, so the next probe comes soon.
	Refused Reason = iota + 1
	// TimedOut: the deadline passed, at whatever stage.
	TimedOut
	// Unreachable: no way leads to the server's address, or nobody answers for it.
	Unreachable
	// Reset: the connection was established, and ended before all was said.
	Reset
	// WrongStatus: the server answered by a status that is not wanted.
	WrongStatus
	// WrongAnswer: the server answered something else than what is wanted, in any other way.
	WrongAnswer
	// NoTLS: TLS could not be negotiated, or the certificate is not accepted.
	NoTLS
	// WrongName: the server answered a question of DNS in another way than is wanted.
	WrongName
	// LoginRefused: the server does not accept the credentials.
	LoginRefused
	// NoProbe: this director could not run the probe.
	NoProbe
)

// ReasonNames are the names of the reasons, in status and metrics.
var ReasonNames = [...]string{
	Refused: "refused", TimedOut: "timeout", Unreachable: "unreachable", Reset: "reset", WrongStatus: "status",
	WrongAnswer: "answer", NoTLS: "tls", WrongName: "dns", LoginRefused: "auth", NoProbe: "not_run",
}

// String returns the reason's name; empty for none.
func (r Reason) String() string {
	if int(r) < len(ReasonNames) {
		return ReasonNames[r]
	}
	return ""
}
