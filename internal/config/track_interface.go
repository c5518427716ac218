package config

import (
	"strings"

	"github.com/lvsd/lvsd/internal/block"
)

// trackInterface is watched by the process that sends the adverts itself.
var trackInterface = newConditionKind(conditionKind{
	name: "interface", help: "Met while the interface of that name exists, is up and has a carrier.", sufficient: true,
}, func() []block.Entry[conditionOptions] { return nil }, (*conditionOptions).self, func(b *block.Body, _ *conditionOptions) Condition {
	networkInterface(b, b.Labels[1], b.LabelAt(1))
	return Condition{}
})

// networkInterface checks the name of a network interface. The kernel takes up
// to 15 bytes, without space and slash.
func networkInterface(b *block.Body, s string, at block.Place) (string, bool) {
	s, ok := deviceName(b, s, at)
	if ok {
		claim(b, interfaceName, s, at)
	}
	return s, ok
}

// deviceName checks the name of a network interface that need not exist.
func deviceName(b *block.Body, s string, at block.Place) (string, bool) {
	if s == "" || len(s) > 15 || strings.ContainsAny(s, " \t\n/:") || s == "." || s == ".." {
		b.Mistake(at, "Invalid interface", "%q can't be the name of a network interface: `ip link` lists those of this machine.", s)
		return "", false
	}
	return s, true
}
