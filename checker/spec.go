package checker

import (
	"encoding/json"
	"fmt"
	"strings"
)

// A Spec is what a probe does, as one line of text: the name of its kind, and
// where there are any, its options and the way of its packets as JSON.
//
//	tcp
//	http {"method":"GET","path":"/health"}
//	tcp	via {"source":"10.13.0.11"}
//
// Equal options are equal text, so that servers which ask for the same probe
// share it. As text, a Spec survives being sent to another process.
type Spec string

// Options are the options of one kind of probe: TCP, HTTP or Ping. They are
// structs whose exported fields encoding/json can write and read.
type Options interface {
	// Kind returns the name of the check in the configuration.
	Kind() string
}

// SpecOf returns the Spec of a probe with these options. It panics where they
// cannot be written as JSON, which is a mistake in their type.
func SpecOf(o Options) Spec {
	text, err := json.Marshal(o)
	if err != nil {
		panic(fmt.Sprintf("checker: options of %s: %v", o.Kind(), err))
	}
	return Spec(strings.TrimSuffix(o.Kind()+" "+string(text), " {}"))
}

// Kind returns the name of the check in the configuration.
func (s Spec) Kind() string {
	kind, _, _ := strings.Cut(string(s.By(Via{})), " ")
	return kind
}

// Decode stores the options in the value that o points to. What the Spec does
// not mention stays as it is there.
func (s Spec) Decode(o any) error {
	_, text, ok := strings.Cut(string(s.By(Via{})), " ")
	if !ok {
		return nil
	}
	return json.Unmarshal([]byte(text), o)
}

// way begins the Via in a Spec. JSON has no tab outside of its texts, and writes one in
// a text in another way.
const way = "\tvia "

// By returns the Spec of the same probe by another way.
func (s Spec) By(v Via) Spec {
	does, _, _ := strings.Cut(string(s), way)
	if v == (Via{}) {
		return Spec(does)
	}
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("checker: the way of a probe: %v", err)) // All of its fields can be written.
	}
	return Spec(does + way + string(text))
}

// Via returns the way of its packets.
func (s Spec) Via() (v Via, err error) {
	if _, text, ok := strings.Cut(string(s), way); ok {
		err = json.Unmarshal([]byte(text), &v)
	}
	return v, err
}

// untold are the options whose values nobody is shown, since they may hold a password:
// those that the configuration calls secret.
var untold = [...]string{"send", "quit", "headers", "query"}

// Wants returns what the probe asks and which way, as people may see it.
func (s Spec) Wants() string {
	does, by, _ := strings.Cut(strings.TrimPrefix(string(s), s.Kind()), way)
	var options map[string]json.RawMessage
	if json.Unmarshal([]byte(does), &options) == nil {
		for _, name := range untold {
			if _, there := options[name]; there {
				options[name] = json.RawMessage(`"[hidden]"`)
			}
		}
		text, _ := json.Marshal(options) // It has just been read.
		does = string(text)
	}
	if by != "" {
		by = " via " + by
	}
	return strings.TrimSpace(does + by)
}
