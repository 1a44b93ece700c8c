package state

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	clientv3 "go.etcd.io/etcd/client/v3"

	"mooring/model"
)

const (
	raceApps    = 5
	raceCells   = 6
	raceHolders = 3 // on each of two nodes
	raceTurns   = 8
)

// Two control planes that both believe they lead ask for permits over several
// apps and give them back, while instances crash and recover. Then the whole
// history is read from etcd, revision by revision: no grant may have exceeded
// a policy, and no claim may have been granted in part.
func TestGrantersThatRaceNeverExceedAPolicy(t *testing.T) {
	g := NewWithT(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	prefix := prefixOf(t)
	setup := open(t, prefix)
	join(t, setup, raceCells)
	var records []model.Record
	for i := range raceApps {
		a := app(fmt.Sprintf("app-%d", i), raceCells)
		a.Policy.MaxInterrupted = model.Limit{Count: 1 + i%3}
		records = append(records, serving(a)...)
	}
	start := put(t, setup, records...)

	var holders, failures sync.WaitGroup
	for node := range 2 {
		s := open(t, prefix)
		for n := range raceHolders {
			name := fmt.Sprintf("holder-%d-%d", node, n)
			random := rand.New(rand.NewPCG(seed, uint64(node*raceHolders+n)))
			holders.Go(func() {
				for range raceTurns {
					takeATurn(t, s, random, name)
				}
			})
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	failures.Go(func() { crashAndRecover(ctx, setup, rand.New(rand.NewPCG(seed, 1<<32))) })
	holders.Wait()
	stop()
	failures.Wait()

	granted := 0
	replay(t, prefix, start, func(before, after *Snapshot) {
		granted += checkGrants(g, before, after)
	})
	g.Expect(granted).To(BeNumerically(">=", 2*raceHolders*raceTurns), "each turn grants something")
}

// takeATurn gets one claim granted and gives its permits back.
func takeATurn(t *testing.T, s *Store, random *rand.Rand, holder string) {
	var apps []string
	for _, i := range random.Perm(raceApps)[:1+random.IntN(3)] {
		apps = append(apps, fmt.Sprintf("app-%d", i))
	}
	claim := interrupts(holder, s.Snapshot().Revision(), random.IntN(raceCells), apps...)
	put(t, s, claim)
	decide(t, s, random, func(snap *Snapshot) *Txn {
		tx, _ := snap.Grant(holder, now)
		return tx
	})
	decide(t, s, random, func(snap *Snapshot) *Txn {
		tx := snap.Txn()
		for _, guid := range apps {
			rest := &model.Ledger{AppGUID: guid}
			for _, permit := range snap.Ledger(guid).Permits {
				if permit.Holder != holder {
					rest.Permits = append(rest.Permits, permit)
				}
			}
			tx.Put(rest)
		}
		return tx
	})
}

// decide commits what is decided on the state, again on every new state until
// there is a decision and it holds. One in three decisions is slow: it is
// committed only after the state has moved on.
func decide(t *testing.T, s *Store, random *rand.Rand, decision func(*Snapshot) *Txn) {
	for {
		snap := s.Snapshot()
		tx := decision(snap)
		if random.IntN(3) == 0 {
			pause(t.Context(), s, snap.Revision()+2)
		}
		var err error
		if tx == nil {
			err = s.Wait(t.Context(), snap.Revision())
		} else if _, err = s.Commit(t.Context(), tx); err == nil {
			return
		}
		if err != nil && !errors.Is(err, ErrConflict) {
			t.Error(err)
			return
		}
	}
}

// crashAndRecover reports one instance after another crashed or serving, in
// step with what the others write.
func crashAndRecover(ctx context.Context, s *Store, random *rand.Rand) {
	for ctx.Err() == nil {
		index := random.IntN(raceCells)
		report := &model.ActualInstance{AppGUID: fmt.Sprintf("app-%d", random.IntN(raceApps)), Index: index, CellID: cellName(index), State: model.Serving}
		if random.IntN(4) == 0 {
			report.State = model.Crashed
		}
		tx := s.Snapshot().Txn()
		tx.Put(report)
		s.Commit(ctx, tx)
		pause(ctx, s, s.Snapshot().Revision())
	}
}

// pause waits for the state to move past a revision, but not for long: nobody
// may be left to move it.
func pause(ctx context.Context, s *Store, revision int64) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Millisecond)
	defer cancel()
	s.Wait(ctx, revision)
}

// replay shows each revision since start with the one before it, as etcd has
// them in its history.
func replay(t *testing.T, prefix string, start int64, show func(before, after *Snapshot)) {
	g := NewWithT(t)
	client := raw(t)
	content, err := client.Get(t.Context(), prefix, clientv3.WithPrefix(), clientv3.WithRev(start))
	g.Expect(err).NotTo(HaveOccurred())
	end, err := client.Get(t.Context(), prefix, clientv3.WithPrefix(), clientv3.WithSort(clientv3.SortByModRevision, clientv3.SortDescend), clientv3.WithLimit(1))
	g.Expect(err).NotTo(HaveOccurred())
	m := newMirror(prefix, nil)
	g.Expect(m.replace(content.Kvs, start, false)).To(Succeed())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for got := range client.Watch(ctx, prefix, clientv3.WithPrefix(), clientv3.WithRev(start+1)) {
		g.Expect(got.Err()).NotTo(HaveOccurred())
		for len(got.Events) > 0 {
			revision, n := got.Events[0].Kv.ModRevision, 0
			for n < len(got.Events) && got.Events[n].Kv.ModRevision == revision {
				n++
			}
			before := m.latest
			g.Expect(m.apply(got.Events[:n], revision)).To(Succeed())
			show(before, m.latest)
			got.Events = got.Events[n:]
			if revision >= end.Kvs[0].ModRevision {
				return
			}
		}
	}
}

// checkGrants counts for itself what the revision after before granted.
func checkGrants(g Gomega, before, after *Snapshot) int {
	granted := 0
	demanded := map[string]bool{}
	for _, claim := range before.Claims() {
		if after.Claim(claim.Holder) == nil {
			for _, demand := range claim.Demands {
				demanded[fmt.Sprint(claim.Holder, demand.AppGUID, demand.Index)] = true
			}
		}
	}
	for _, a := range after.Apps() {
		spent, costs := 0, false
		for index := range a.Instances {
			serves := before.ActualInstance(a.GUID, index, cellName(index)).State == model.Serving
			permit := after.Ledger(a.GUID).Permit(index)
			if !serves || permit != nil {
				spent++
			}
			if permit == nil || before.Ledger(a.GUID).Permit(index) != nil {
				continue
			}
			granted++
			costs = costs || serves
			demand := fmt.Sprint(permit.Holder, a.GUID, index)
			g.Expect(demanded).To(HaveKey(demand), "a permit needs a claim")
			delete(demanded, demand)
		}
		if costs {
			g.Expect(spent).To(BeNumerically("<=", a.Policy.MaxInterrupted.Count), "%s at revision %d", a.GUID, after.Revision())
		}
	}
	g.Expect(demanded).To(BeEmpty(), "a claim granted in part at revision %d", after.Revision())
	return granted
}
