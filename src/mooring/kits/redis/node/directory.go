package node

import (
	"context"
	"fmt"
	"time"

	"mooring/client"
	"mooring/kits/redis/cluster"
	"mooring/model"
)

// directory asks Mooring where the instances of the app are.
type directory struct {
	api *client.Client // nil: nobody to ask
	app model.Name
}

func newDirectory(s Settings) (*directory, error) {
	d := &directory{app: s.Self.App}
	if s.API == "" {
		return d, nil
	}
	api, err := client.New(client.Config{Endpoints: []string{s.API}, Token: s.Token})
	if err != nil {
		return nil, fmt.Errorf("reading MOORING_API: %w", err)
	}
	d.api = api
	return d, nil
}

// members gives the instances that are to be, by index; nil when Mooring
// cannot be asked now. An instance that is placed nowhere has no host.
func (d *directory) members(ctx context.Context) (map[int]cluster.Member, error) {
	if d.api == nil {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	instances, err := d.api.Instances(ctx, d.app)
	if err != nil {
		return nil, fmt.Errorf("asking Mooring for the instances of %s: %w", d.app, err)
	}
	members := map[int]cluster.Member{}
	for _, instance := range instances {
		if instance.Removing {
			continue
		}
		member := cluster.Member{Index: instance.Index, Host: instance.Address, CellID: instance.CellID, AZ: instance.AZ}
		for place, port := range instance.Ports {
			if place == 0 {
				member.Port = port.Number
			}
			if port.Name == "bus" {
				member.Bus = port.Number
			}
		}
		members[instance.Index] = member
	}
	return members, nil
}
