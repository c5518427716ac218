package config

import (
	"github.com/lvsd/lvsd/internal/block"
)

// trackInterface is watched by the process that sends the adverts itself.
var trackInterface = newConditionKind(conditionKind{
	name: "interface", help: "Met while the interface of that name exists, is up and has a carrier.", sufficient: true,
}, func() []block.Entry[conditionOptions] { return nil }, (*conditionOptions).self, func(b *block.Body, _ *conditionOptions) Condition {
	networkInterface(b, b.Labels[1], b.LabelAt(1))
	return Condition{}
})
