package state

import (
	"sync/atomic"

	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/balancer/base"
	"google.golang.org/grpc/resolver"
)

// balancerName is the name under which gRPC finds the balancer.
const balancerName = "mooring_etcd_members"

// balancing selects it, instead of etcd's own, which goes round all members.
const balancing = `{"loadBalancingConfig": [{"` + balancerName + `": {}}]}`

func init() {
	balancer.Register(addressed{base.NewBalancerBuilder(balancerName, pickers{}, base.Config{})})
}

// addressed returns a balancer the addresses that etcd's resolver gives as
// endpoints.
type addressed struct{ balancer.Builder }

func (b addressed) Build(conn balancer.ClientConn, opts balancer.BuildOptions) balancer.Balancer {
	return addressedBalancer{b.Builder.Build(conn, opts)}
}

type addressedBalancer struct{ balancer.Balancer }

func (b addressedBalancer) UpdateClientConnState(state balancer.ClientConnState) error {
	var addresses []resolver.Address
	for _, endpoint := range state.ResolverState.Endpoints {
		addresses = append(addresses, endpoint.Addresses...)
	}
	state.ResolverState.Addresses = addresses
	return b.Balancer.UpdateClientConnState(state)
}

// pickers builds pickers over the members that are connected.
type pickers struct{}

func (pickers) Build(info base.PickerBuildInfo) balancer.Picker {
	if len(info.ReadySCs) == 0 {
		return base.NewErrPicker(balancer.ErrNoSubConnAvailable)
	}
	p := &picker{}
	for conn, member := range info.ReadySCs {
		p.conns, p.addresses = append(p.conns, conn), append(p.addresses, member.Address.Addr)
	}
	return p
}

// picker goes round the members, except those that the attempt's store avoids.
type picker struct {
	conns     []balancer.SubConn
	addresses []string
	turn      atomic.Uint32
}

// Pick implements balancer.Picker.
func (p *picker) Pick(info balancer.PickInfo) (balancer.PickResult, error) {
	chosen := int(p.turn.Add(1)) % len(p.conns)
	if a, ours := info.Ctx.Value(attemptKey{}).(*attempt); ours {
		chosen = a.members.choose(p.addresses, chosen)
		a.address = p.addresses[chosen]
	}
	return balancer.PickResult{SubConn: p.conns[chosen]}, nil
}
