package config

import (
	"cmp"
	"log/slog"

	"github.com/lvsd/lvsd/vrrp"
)

// An Owner is what has hooks and resources: a virtual router, a sync group or, with hooks
// alone, a virtual service. The name of one is given, and the others are empty.
type Owner struct{ Router, Group, Service string }

// Mover is what a virtual router moves with: its sync group, or itself.
func Mover(r *vrrp.Config) Owner {
	if r.SyncGroup != "" {
		return Owner{Group: r.SyncGroup}
	}
	return Owner{Router: r.Name}
}

// Name is the one name that is given.
func (o Owner) Name() string { return cmp.Or(o.Router, o.Group, o.Service) }

// Compare puts virtual routers before sync groups, these before virtual services, and each
// in the order of their names.
func (o Owner) Compare(other Owner) int {
	return cmp.Or(cmp.Compare(o.Service, other.Service), cmp.Compare(o.Group, other.Group), cmp.Compare(o.Router, other.Router))
}

// Attr names it in an event.
func (o Owner) Attr() slog.Attr {
	switch {
	case o.Service != "":
		return slog.String("service", o.Service)
	case o.Group != "":
		return slog.String("sync_group", o.Group)
	}
	return slog.String("router", o.Router)
}

// ResourceCondition is the name of the condition that all resources of its could be started.
func (o Owner) ResourceCondition() string {
	if o.Group != "" {
		return "resources of group " + o.Group
	}
	return "resources of " + o.Router
}
