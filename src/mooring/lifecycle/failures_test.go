package lifecycle_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"mooring/lifecycle"
	"mooring/model"
)

// spread puts six instances on five cells of three AZs.
var spread = []lifecycle.Place{{Cell: "c1", AZ: "z1"}, {Cell: "c2", AZ: "z1"}, {Cell: "c3", AZ: "z2"}, {Cell: "c3", AZ: "z2"}, {Cell: "c4", AZ: "z2"}, {Cell: "c5", AZ: "z3"}}

func TestFailuresSayWhatAnAppCanStand(t *testing.T) {
	tight := model.Policy{MaxInterrupted: limit(1), MaxDraining: limit(1)}
	roomy := model.Policy{MaxInterrupted: limit(4), MaxDraining: limit(4)}
	disposable := roomy
	disposable.DataDisposable = true
	for name, row := range map[string]struct {
		policy  model.Policy
		n       int
		classes []model.Class
		places  []lifecycle.Place
		want    []string
	}{
		"tight, fixed": {tight, 6, []model.Class{persistent}, spread, []string{
			"one instance fails: 1 of 6 down, no more than max_interrupted allows (1); rolls of every other cell that has one wait",
			"cell c3 fails: 2 of 6 down, more than the 1 that max_interrupted allows; rolls of every other cell that has one wait; declared lost, the data of 2 is gone and they start anew elsewhere",
			"az z2 fails: 3 of 6 down, more than the 1 that max_interrupted allows; rolls of every other cell that has one wait; declared lost, the data of 3 is gone and they start anew elsewhere",
		}},
		"roomy, floating": {roomy, 6, []model.Class{shared}, spread, []string{
			"one instance fails: 1 of 6 down, no more than max_interrupted allows (4); rolls go on with 3 at once",
			"cell c3 fails: 2 of 6 down, no more than max_interrupted allows (4); rolls go on with 2 at once; their volumes float to other cells of the zone, with the data",
			"az z2 fails: 3 of 6 down, no more than max_interrupted allows (4); rolls go on with 1 at once; their volumes float within the zone and wait for it",
		}},
		"disposable": {disposable, 6, []model.Class{ephemeral}, spread[:1], []string{
			"one instance fails: 1 of 6 down, no more than max_interrupted allows (4); rolls go on with 3 at once",
			"cell c1 fails: 1 of 6 down, no more than max_interrupted allows (4); rolls go on with 3 at once; declared lost, 1 start anew elsewhere, without data that was disposable",
			"az z1 fails: 1 of 6 down, no more than max_interrupted allows (4); rolls go on with 3 at once; declared lost, 1 start anew elsewhere, without data that was disposable",
		}},
		"alone, without volumes, anywhere": {tight, 1, nil, nil, []string{
			"one instance fails: 1 of 1 down, the service is gone until it is back; rolls of every other cell that has one wait",
		}},
		"nothing": {tight, 0, nil, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var texts []string
			for _, f := range lifecycle.Failures(&row.policy, row.n, row.classes, row.places) {
				texts = append(texts, f.Text)
			}
			NewWithT(t).Expect(texts).To(Equal(row.want))
		})
	}
}
