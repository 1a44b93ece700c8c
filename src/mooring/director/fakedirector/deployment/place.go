package deployment

import (
	"cmp"
	"slices"
)

// placer chooses which instances of a group stay, go and come, and where.
type placer struct {
	azs      []string // sorted by how many are there already
	staying  []*Instance
	coming   []string       // the AZs of new instances
	weight   map[string]int // instances by AZ
	existing map[string][]*Instance
}

// place returns the group's instances as they shall be, unsorted, and those that
// go. Existing ones with a persistent disk stay in their AZ, the lowest indexes
// first; the others are balanced over the AZs, existing ones before new ones.
func (p *planning) place(group *groupPlan) (stay, obsolete []*Instance) {
	var existing []*Instance
	taken := map[int]bool{}
	for _, instance := range p.previous.existing() {
		if instance.Group == group.name {
			existing = append(existing, instance)
			taken[instance.Index] = true
		}
	}
	slices.SortFunc(existing, func(a, b *Instance) int { return cmp.Compare(a.Index, b.Index) })
	b := newPlacer(group, existing)
	left := b.keepDisks(existing, group.instances)
	for range left {
		b.balance()
	}
	for _, instance := range b.staying {
		kept := *instance
		stay = append(stay, &kept)
	}
	for _, az := range b.coming {
		index := 0
		for taken[index] {
			index++
		}
		taken[index] = true
		stay = append(stay, &Instance{ID: p.director.newID(), Group: group.name, AZ: az, Index: index})
	}
	elect(stay)
	for _, instance := range existing {
		if !slices.Contains(b.staying, instance) {
			obsolete = append(obsolete, instance)
		}
	}
	return stay, obsolete
}

func newPlacer(group *groupPlan, existing []*Instance) *placer {
	b := &placer{azs: slices.Clone(group.azs), weight: map[string]int{}, existing: map[string][]*Instance{}}
	if group.azs == nil {
		b.azs = []string{""}
	}
	for _, instance := range existing {
		b.existing[instance.AZ] = append(b.existing[instance.AZ], instance)
	}
	slices.SortStableFunc(b.azs, func(x, y string) int { return cmp.Compare(len(b.existing[y]), len(b.existing[x])) })
	return b
}

// keepDisks lets instances with disks stay, and returns how many are wanted yet.
func (b *placer) keepDisks(existing []*Instance, wanted int) int {
	for _, instance := range existing {
		if wanted > 0 && instance.PersistentDisk > 0 && slices.Contains(b.azs, instance.AZ) {
			b.claim(instance)
			wanted--
		}
	}
	return wanted
}

func (b *placer) claim(instance *Instance) {
	b.staying = append(b.staying, instance)
	b.weight[instance.AZ]++
	b.existing[instance.AZ] = slices.DeleteFunc(b.existing[instance.AZ], func(i *Instance) bool { return i == instance })
}

// balance puts one instance into an AZ that has the fewest: into one with an
// existing instance if it can, or else into the first by name.
func (b *placer) balance() {
	fewest := b.weight[slices.MinFunc(b.azs, func(x, y string) int { return cmp.Compare(b.weight[x], b.weight[y]) })]
	var least []string
	for _, az := range b.azs {
		if b.weight[az] == fewest {
			least = append(least, az)
		}
	}
	az := slices.Min(least)
	if i := slices.IndexFunc(least, func(az string) bool { return len(b.existing[az]) > 0 }); i >= 0 {
		az = least[i]
	}
	if len(b.existing[az]) > 0 {
		b.claim(b.existing[az][0])
		return
	}
	b.coming = append(b.coming, az)
	b.weight[az]++
}

// elect makes the instance with the lowest index the bootstrap instance, if there
// is not one that is it.
func elect(instances []*Instance) {
	isBootstrap := func(i *Instance) bool { return i.Bootstrap }
	first := slices.IndexFunc(instances, isBootstrap)
	if len(instances) == 0 || first >= 0 && !slices.ContainsFunc(instances[first+1:], isBootstrap) {
		return
	}
	lowest := slices.MinFunc(instances, func(a, b *Instance) int { return cmp.Compare(a.Index, b.Index) })
	for _, instance := range instances {
		instance.Bootstrap = instance == lowest
	}
}

// inOrder sorts instances as they are updated.
func inOrder(instances []*Instance) {
	home := ""
	for _, instance := range instances {
		if instance.Bootstrap {
			home = instance.AZ
		}
	}
	rank := func(i *Instance) int {
		switch {
		case i.Bootstrap:
			return 0
		case i.AZ == home:
			return 1
		}
		return 2
	}
	slices.SortFunc(instances, func(a, b *Instance) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.AZ, b.AZ), cmp.Compare(a.ID, b.ID))
	})
}
