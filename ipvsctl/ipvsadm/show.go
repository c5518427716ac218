package ipvsadm

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/ipvsctl/connections"
)

// list carries out -L. The first error ends it.
func (s *Session) list(ctx context.Context, c Command) error {
	k, err := s.connect(ctx)
	if err != nil {
		return err
	}
	t := table{s.Out, c.Listing, s.Names.endpointBy(c.Listing.Numeric), false}
	switch c.Listing.Subject {
	case Connections:
		err = s.listConnections(t)
	case TimeoutValues:
		err = s.listTimeouts(ctx, t, k)
	case SyncDaemons:
		err = s.listDaemons(ctx, t, k)
	default:
		err = s.listTable(ctx, t, k, c)
	}
	if err != nil {
		return &Error{StatusList, err}
	}
	return nil
}

// save carries out -S.
func (s *Session) save(ctx context.Context, c Command) error {
	k, err := s.connect(ctx)
	if err != nil {
		return err
	}
	if err := s.listTable(ctx, table{s.Out, c.Listing, s.Names.endpointBy(c.Listing.Numeric), true}, k, c); err != nil {
		return &Error{StatusList, err}
	}
	return nil
}

// listTable prints all services, or the one that the command names.
func (s *Session) listTable(ctx context.Context, t table, k Kernel, c Command) error {
	var all []ipvsctl.ListedService
	var err error
	if c.HasService {
		all = make([]ipvsctl.ListedService, 1)
		all[0], err = k.ListService(ctx, c.Op.Service)
	} else {
		if !t.rules && !t.JSON {
			t.printf("IP Virtual Server version %v (size=%d)\n", s.info, s.info.Size)
		}
		all, err = k.ListServices(ctx)
	}
	if err != nil {
		return err
	}
	if !t.Unsorted {
		sortAs(all, compareServices)
	}
	if t.JSON {
		return s.writeTable(ctx, t, k, all)
	}
	t.title()
	for i := range all {
		servers, err := serversOf(ctx, k, t, all[i].Key)
		if err != nil {
			return err
		}
		t.service(&all[i])
		for j := range servers {
			t.server(all[i].Key, &servers[j])
		}
	}
	return nil
}

func serversOf(ctx context.Context, k Kernel, t table, key ipvsctl.ServiceKey) ([]ipvsctl.ListedDestination, error) {
	servers, err := k.ListDestinations(ctx, key)
	if err == nil && !t.Unsorted {
		sortAs(servers, compareDestinations)
	}
	return servers, err
}

// writeTable prints the table as JSON.
func (s *Session) writeTable(ctx context.Context, t table, k Kernel, all []ipvsctl.ListedService) error {
	j := jsonTable{Version: s.info.String(), Size: s.info.Size, Services: []jsonService{}}
	for i := range all {
		servers, err := serversOf(ctx, k, t, all[i].Key)
		if err != nil {
			return err
		}
		j.Services = append(j.Services, serviceJSON(&all[i], servers))
	}
	return writeJSON(t, j)
}

func (s *Session) listTimeouts(ctx context.Context, t table, k Kernel) error {
	v, err := k.Timeouts(ctx)
	switch {
	case err != nil:
		return err
	case t.JSON:
		return writeJSON(t, jsonTimeouts(v))
	}
	t.printf("Timeout (tcp tcpfin udp): %d %d %d\n", v.TCP, v.TCPFin, v.UDP)
	return nil
}

func (s *Session) listDaemons(ctx context.Context, t table, k Kernel) error {
	all, err := k.Daemons(ctx)
	switch {
	case err != nil:
		return err
	case t.JSON:
		return writeJSON(t, daemonsJSON(all))
	}
	for _, d := range all {
		t.printf("%v sync daemon (mcast=%s, syncid=%d", d.Role, d.Interface, d.ID)
		for _, v := range []struct {
			name string
			n    int
		}{{"maxlen", int(d.MaxLength)}, {"group", -1}, {"port", int(d.Port)}, {"ttl", int(d.TTL)}} {
			switch {
			case v.n > 0:
				t.printf(", %s=%d", v.name, v.n)
			case v.n < 0 && d.Group != netip.Addr{}:
				t.printf(", %s=%s", v.name, dotted(d.Group))
			}
		}
		t.printf(")\n")
	}
	return nil
}

func (s *Session) listConnections(t table) error {
	f, err := s.Connections()
	if err != nil {
		return fmt.Errorf("reading the connections: %w", err)
	}
	defer f.Close()
	if !t.JSON {
		err = t.listConnections(f)
	} else {
		all := []jsonConnection{}
		if err = eachConnection(f, func(c connections.Connection) { all = append(all, connectionJSON(c)) }); err == nil {
			err = writeJSON(t, all)
		}
	}
	if err != nil {
		return fmt.Errorf("reading the connections: %w", err)
	}
	return nil
}
