package lifecycle_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"mooring/lifecycle"
	"mooring/model"
)

// The properties below are checked against books kept by hand: plain counting
// over the raw records, sharing no code with the package.

var appNames = []string{"db", "queue", "cache"}

// tally is what a policy measures, counted by hand.
type tally map[int]bool

// count gives the indexes that are down or hold a permit of the kind ("": any).
func count(f *fleet, app string, kind model.Kind) tally {
	set := tally{}
	for _, p := range f.ledgers[app].Permits {
		failed := p.Want == model.WantBack && dead(f, app, p.Index)
		if kind == "" || p.Kind == kind || failed {
			set[p.Index] = true
		}
	}
	for i := range f.apps[app].Instances {
		held := slices.ContainsFunc(f.ledgers[app].Permits, func(p model.Permit) bool { return p.Index == i })
		if !held && !healthy(f, app, i) {
			set[i] = true
		}
	}
	return set
}

func healthy(f *fleet, app string, i int) bool {
	inst := f.instances[app][i]
	return inst.CellID != "" && !f.gone[inst.CellID] && f.actuals[app][i].State == model.Serving
}

// dead reports whether no process runs and none is being started.
func dead(f *fleet, app string, i int) bool {
	inst, state := f.instances[app][i], f.actuals[app][i].State
	return inst.CellID == "" || f.gone[inst.CellID] || state == model.Crashed || state == model.Blocked
}

func limitsOf(app *model.App) map[model.Kind]int {
	p, n := app.Policy, app.Instances
	both := max(p.MaxInterrupted.Of(n), p.MaxDraining.Of(n))
	if p.MaxDisrupted != nil {
		both = p.MaxDisrupted.Of(n)
	}
	return map[model.Kind]int{model.Interrupt: p.MaxInterrupted.Of(n), model.Drain: p.MaxDraining.Of(n), "": both}
}

// asked gives the indexes a claim demands of an app with a kind ("": any).
func asked(claim *model.Claim, app string, kind model.Kind) tally {
	set := tally{}
	for _, d := range claim.Demands {
		if d.AppGUID == app && (kind == "" || d.Kind == kind) {
			set[d.Index] = true
		}
	}
	return set
}

func over(set tally, more tally, limit int) int {
	all := maps.Clone(set)
	maps.Copy(all, more)
	return max(0, len(all)-limit)
}

func drawLimit(t *rapid.T, label string) model.Limit {
	if rapid.Bool().Draw(t, label+" is a share") {
		return model.Limit{Percent: rapid.IntRange(0, 100).Draw(t, label)}
	}
	return model.Limit{Count: rapid.IntRange(0, 4).Draw(t, label)}
}

func drawFleet(t *rapid.T) *fleet {
	f := newFleet()
	for _, name := range appNames {
		policy := model.Policy{
			MaxInterrupted: drawLimit(t, name+" max_interrupted"),
			MaxDraining:    drawLimit(t, name+" max_draining"),
			DataDisposable: rapid.Bool().Draw(t, name+" disposable"),
		}
		if rapid.Bool().Draw(t, name+" has max_disrupted") {
			both := drawLimit(t, name+" max_disrupted")
			policy.MaxDisrupted = &both
		}
		f.add(name, rapid.IntRange(1, 5).Draw(t, name+" instances"), policy)
	}
	return f
}

func drawClaim(t *rapid.T, f *fleet, holder string) *model.Claim {
	claim := &model.Claim{Holder: holder, Reason: model.ReasonRoll, Aside: rapid.IntRange(0, 4).Draw(t, "aside") == 0}
	kind := rapid.SampledFrom([]model.Kind{model.Interrupt, model.Interrupt, model.Drain}).Draw(t, "kind")
	for _, name := range appNames {
		for i := range f.apps[name].Instances {
			if rapid.IntRange(0, 4).Draw(t, "wanted") == 0 {
				claim.Demands = append(claim.Demands, model.Demand{AppGUID: name, Index: i, Kind: kind, Force: rapid.Bool().Draw(t, "force")})
			}
		}
	}
	return claim
}

// world runs claims against a fleet whose instances come and go.
type world struct {
	*fleet
	line  []*model.Claim
	named int
}

func (w *world) drawInstance(t *rapid.T) (string, int) {
	app := rapid.SampledFrom(appNames).Draw(t, "app")
	return app, rapid.IntRange(0, w.apps[app].Instances-1).Draw(t, "index")
}

// try judges the claim at a place in the line and grants it if it may be.
func (w *world) try(t *rapid.T, place int) {
	claim, earlier := w.line[place], w.line[:place]
	verdict := lifecycle.Judge(claim, earlier, w.crew)
	alone := lifecycle.Judge(claim, nil, w.crew)
	if verdict.Granted && !alone.Granted {
		t.Fatalf("a place in the line grants what does not fit")
	}
	if !verdict.Granted {
		w.checkRefusal(t, claim, earlier, verdict, alone)
		return
	}
	before := w.shortfalls(earlier)
	w.checkGrant(t, claim)
	w.enter(claim)
	w.line = slices.Delete(w.line, place, place+1)
	for _, d := range claim.Demands {
		if w.ledgers[d.AppGUID].Permit(d.Index) == nil {
			t.Fatalf("%s was granted, and %s/%d has no permit", claim.Holder, d.AppGUID, d.Index)
		}
	}
	for what, short := range w.shortfalls(earlier) {
		if was, waited := before[what]; waited && short > was {
			t.Fatalf("%s passed, and %s is further from what it waits for: %d instead of %d", claim.Holder, what, short, was)
		}
	}
}

// checkGrant counts by hand whether a grant about to be entered may be.
func (w *world) checkGrant(t *rapid.T, claim *model.Claim) {
	for _, name := range appNames {
		wanted := asked(claim, name, "")
		paid := map[model.Kind]bool{}
		for _, d := range claim.Demands {
			if d.AppGUID != name {
				continue
			}
			state := w.actuals[name][d.Index].State
			switch {
			case dead(w.fleet, name, d.Index):
				if d.Kind == model.Drain && !w.apps[name].Policy.DataDisposable && !d.Force {
					t.Fatalf("granted a drain of %s/%d, which is down with data", name, d.Index)
				}
			case state == model.Starting || state == model.Soaking:
				t.Fatalf("granted %s/%d, which is %s", name, d.Index, state)
			default:
				paid[d.Kind], paid[""] = true, true
			}
		}
		for kind, limit := range limitsOf(w.apps[name]) {
			if paid[kind] {
				if n := over(count(w.fleet, name, kind), asked(claim, name, kind), limit); n > 0 {
					t.Fatalf("granted %v of %s, %d over its %q limit %d", wanted, name, n, kind, limit)
				}
			}
		}
		if !paid[""] && over(count(w.fleet, name, ""), wanted, 0) != len(count(w.fleet, name, "")) {
			t.Fatalf("what was free of %s costs it an instance", name)
		}
	}
}

// checkRefusal holds a refusal to its reasons.
func (w *world) checkRefusal(t *rapid.T, claim *model.Claim, earlier []*model.Claim, verdict, alone lifecycle.Verdict) {
	if len(verdict.Blockers) == 0 {
		t.Fatalf("%s was refused, and nobody is named", claim.Holder)
	}
	for _, b := range verdict.Blockers {
		if b.Text == "" || len(b.Holders)+len(b.Ahead) == 0 && !b.Forever {
			t.Fatalf("%s was refused, and nobody is named: %+v", claim.Holder, b)
		}
	}
	if alone.Granted && !slices.ContainsFunc(earlier, func(c *model.Claim) bool { return !c.Aside }) {
		t.Fatalf("%s fits, only claims aside stand before it, and it was refused", claim.Holder)
	}
	free := !slices.ContainsFunc(claim.Demands, func(d model.Demand) bool {
		return !dead(w.fleet, d.AppGUID, d.Index) || d.Kind == model.Drain || w.ledgers[d.AppGUID].Permit(d.Index) != nil
	})
	if free {
		t.Fatalf("%s only interrupts what crashed, and was refused", claim.Holder)
	}
}

// shortfalls gives, for each earlier claim that waits in earnest, how much
// each limit lacks for it, and whether each instance it wants is taken.
func (w *world) shortfalls(earlier []*model.Claim) map[string]int {
	short := map[string]int{}
	for _, claim := range earlier {
		if claim.Aside || lifecycle.Judge(claim, nil, w.crew).Forever() {
			continue
		}
		for _, name := range appNames {
			for kind, limit := range limitsOf(w.apps[name]) {
				if wanted := asked(claim, name, kind); len(wanted) > 0 {
					short[fmt.Sprintf("%s (%s %q)", claim.Holder, name, kind)] = over(count(w.fleet, name, kind), wanted, limit)
				}
			}
		}
		for _, d := range claim.Demands {
			if dead(w.fleet, d.AppGUID, d.Index) {
				continue // what crashed is held back for nobody
			}
			taken := 0
			if w.ledgers[d.AppGUID].Permit(d.Index) != nil {
				taken = 1
			}
			short[fmt.Sprintf("%s (%s/%d)", claim.Holder, d.AppGUID, d.Index)] = taken
		}
	}
	return short
}

func TestNoSequenceOfGrantsAndFailuresExceedsAPolicy(t *testing.T) {
	states := []model.InstanceState{model.Serving, model.Serving, model.Starting, model.Soaking, model.Failing, model.Crashed, model.Blocked}
	rapid.Check(t, func(t *rapid.T) {
		w := &world{fleet: drawFleet(t)}
		t.Repeat(map[string]func(*rapid.T){
			"claim": func(t *rapid.T) {
				w.named++
				w.line = append(w.line, drawClaim(t, w.fleet, fmt.Sprintf("claim-%d", w.named)))
			},
			"try": func(t *rapid.T) {
				if len(w.line) == 0 {
					t.Skip("nobody waits")
				}
				w.try(t, rapid.IntRange(0, len(w.line)-1).Draw(t, "place"))
			},
			"change": func(t *rapid.T) {
				app, i := w.drawInstance(t)
				w.state(app, i, rapid.SampledFrom(states).Draw(t, "state"))
			},
			"cell": func(t *rapid.T) {
				cell := fmt.Sprintf("c%d", rapid.IntRange(0, 4).Draw(t, "cell"))
				w.gone[cell] = rapid.IntRange(0, 3).Draw(t, "gone") == 0
			},
			"place": func(t *rapid.T) {
				app, i := w.drawInstance(t)
				cell := ""
				if rapid.Bool().Draw(t, "placed") {
					cell = fmt.Sprintf("c%d", i)
				}
				w.instances[app][i].CellID, w.actuals[app][i].CellID = cell, cell
			},
			"want back": func(t *rapid.T) {
				app := rapid.SampledFrom(appNames).Draw(t, "app")
				for i := range w.ledgers[app].Permits {
					w.ledgers[app].Permits[i].Want = model.WantBack
				}
			},
			"release": func(t *rapid.T) {
				app := rapid.SampledFrom(appNames).Draw(t, "app")
				if n := len(w.ledgers[app].Permits); n > 0 {
					at := rapid.IntRange(0, n-1).Draw(t, "permit")
					w.ledgers[app].Permits = slices.Delete(w.ledgers[app].Permits, at, at+1)
				}
			},
			"": func(t *rapid.T) {
				for _, name := range appNames {
					held := tally{}
					for _, p := range w.ledgers[name].Permits {
						if held[p.Index] {
							t.Fatalf("%s/%d holds two permits", name, p.Index)
						}
						held[p.Index] = true
					}
				}
			},
		})
	})
}

// Where instances recover and permits are given back, every claim that a
// policy allows at all is granted within as many rounds as there are claims:
// each round at least the first in line gets its turn.
func TestNobodyStarves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{fleet: drawFleet(t)}
		for i := range rapid.IntRange(1, 8).Draw(t, "claims") {
			w.line = append(w.line, drawClaim(t, w.fleet, fmt.Sprintf("claim-%d", i)))
			w.line[i].Aside = false
		}
		possible := slices.DeleteFunc(slices.Clone(w.line), func(c *model.Claim) bool {
			return lifecycle.Judge(c, nil, w.crew).Forever()
		})
		for rounds := len(possible); len(possible) > 0; rounds-- {
			if rounds == 0 {
				t.Fatalf("%d claims were never granted", len(possible))
			}
			// Later ones try first, and new claims of everything keep coming.
			w.named++
			newcomer := drawClaim(t, w.fleet, fmt.Sprintf("newcomer-%d", w.named))
			newcomer.Aside = false
			w.line = append(w.line, newcomer)
			front := possible[0]
			for place := len(w.line) - 1; place >= 0; place-- {
				w.try(t, place)
			}
			if slices.Contains(w.line, front) {
				t.Fatalf("%s stands first with everything free, and was passed", front.Holder)
			}
			possible = slices.DeleteFunc(possible, func(c *model.Claim) bool { return !slices.Contains(w.line, c) })
			for _, name := range appNames {
				w.ledgers[name] = &model.Ledger{AppGUID: name}
			}
		}
	})
}

func TestEnterKeepsOtherPermitsAndTheSnapshot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawFleet(t)
		first := drawClaim(t, f, "first")
		f.enter(first)
		before := f.ledgers["db"]
		kept := slices.Clone(before.Permits)
		second := &model.Claim{Holder: "second"}
		for i := range f.apps["db"].Instances {
			if before.Permit(i) == nil {
				second.Demands = append(second.Demands, model.Demand{AppGUID: "db", Index: i, Kind: model.Drain})
			}
		}
		f.enter(second)
		if !slices.EqualFunc(before.Permits, kept, func(a, b model.Permit) bool { return a.ID == b.ID }) {
			t.Fatal("the ledger of the snapshot was changed in place")
		}
		for _, p := range kept {
			if now := f.ledgers["db"].Permit(p.Index); now == nil || now.ID != p.ID {
				t.Fatalf("the permit of db/%d was lost", p.Index)
			}
		}
		if n := len(f.ledgers["db"].Permits); n != f.apps["db"].Instances {
			t.Fatalf("%d permits for %d instances", n, f.apps["db"].Instances)
		}
	})
}
