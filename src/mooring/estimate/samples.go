package estimate

import (
	"math"
	"slices"
	"time"

	"mooring/model"
)

// How many of the newest samples of a step are kept: of an app's steps few,
// since there are many apps, of hosts no more than can be written often.
const (
	keptOfApp   = 32
	keptOfHosts = 64
)

// halfLife is the age at which a sample counts half: what took its time under
// the stemcell before last says less of the next.
const halfLife = 30 * 24 * time.Hour

// oldCounts is how many samples those from before a plan count as, at most,
// once the plan has some of its own.
const oldCounts = 8

// Learn gives what is known with one more sample of a step. known is not
// changed, and nil when nothing was measured of the subject.
func Learn(known *model.Durations, subject string, step Step, took time.Duration, at time.Time) *model.Durations {
	next := &model.Durations{Subject: subject, Samples: map[string][]model.Sample{}}
	if known != nil {
		*next = *known
		next.Samples = make(map[string][]model.Sample, len(known.Samples)+1)
		for name, samples := range known.Samples {
			next.Samples[name] = samples
		}
	}
	keep := keptOfApp
	if subject == model.Hosts {
		keep = keptOfHosts
	}
	samples := append(slices.Clone(next.Samples[string(step)]), model.Sample{At: at.Unix(), Millis: max(0, took.Milliseconds())})
	next.Samples[string(step)] = samples[max(0, len(samples)-keep):]
	return next
}

// weighted is a duration and how much it counts.
type weighted struct{ took, weight float64 } // took in seconds

// shortest is what anything takes at least, in seconds: durations are compared
// by their logarithm.
const shortest = 0.001

// weigh gives samples their weights as of now. Once there are some from after
// since, the moment a plan began, those from before count little.
func weigh(samples []model.Sample, now, since time.Time) (found []weighted, total float64) {
	var old, own float64
	for _, s := range samples {
		age := max(0, now.Unix()-s.At)
		w := math.Exp2(-float64(age) / halfLife.Seconds())
		found = append(found, weighted{max(shortest, s.Took().Seconds()), w})
		if since.IsZero() || s.At < since.Unix() {
			old += w
		} else {
			own += w
		}
	}
	if own > 0 && old > oldCounts {
		for i, s := range samples {
			if s.At < since.Unix() {
				found[i].weight *= oldCounts / old
			}
		}
		old = oldCounts
	}
	return found, old + own
}
