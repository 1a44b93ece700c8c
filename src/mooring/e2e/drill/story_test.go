package drill

import (
	"context"
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/gomega"

	"mooring/client"
	"mooring/model"
)

// story is what the state has of rolls and of disruptions, put together from
// events alone.
type story struct {
	timelines map[string][]model.Entry            // by plan/cell
	permits   map[string]map[model.Step]time.Time // of those held, by app/index
	// released are the permits that ended, as they said themselves, and ended
	// how that was told step by step.
	released []model.Permit
	ended    []map[model.Step]time.Time
}

func storyOf(events []model.Event) *story {
	s := &story{timelines: map[string][]model.Entry{}, permits: map[string]map[model.Step]time.Time{}}
	for _, event := range events {
		if event.Kind == model.EventPlanBegun {
			for _, cell := range event.Cells {
				s.timelines[event.Plan+"/"+cell] = []model.Entry{{Phase: model.Queued, At: event.At}}
			}
		}
		if event.Entry != nil {
			of := event.Plan + "/" + event.CellID
			s.timelines[of] = append(s.timelines[of], *event.Entry)
		}
		step, isPermit := strings.CutPrefix(string(event.Kind), "permit.")
		if !isPermit {
			continue
		}
		of := fmt.Sprintf("%s/%d", event.AppGUID, *event.Index)
		switch step {
		case "cancelled":
			delete(s.permits, of)
			continue
		case string(model.StepGranted):
			s.permits[of] = map[model.Step]time.Time{}
		}
		s.permits[of][model.Step(step)] = event.At
		if event.Permit != nil {
			s.released, s.ended = append(s.released, *event.Permit), append(s.ended, s.permits[of])
			delete(s.permits, of)
		}
	}
	return s
}

// retold holds the stream of events to what the API says: it is enough to put
// the timelines of plans and the times of all permits together again.
func (d *drill) retold(plans ...string) {
	d.t.Helper()
	d.g.Eventually(func(g Gomega) { // the two are not read at one moment
		events, err := d.api.Events(context.Background(), client.EventQuery{Limit: 10_000})
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(len(events)).To(BeNumerically("<", 10_000), "those are all")
		told := storyOf(events)
		for _, plan := range plans {
			for _, roll := range d.plan(plan).Rolls {
				g.Expect(told.timelines[plan+"/"+roll.CellID]).To(Equal(roll.Timeline), "the roll of %s", roll.CellID)
			}
		}
		for i := range told.released {
			g.Expect(told.ended[i]).To(Equal(told.released[i].Times), "permit %s", told.released[i].ID)
		}
		instances, err := d.api.Instances(context.Background(), d.app())
		g.Expect(err).NotTo(HaveOccurred())
		held := 0
		for i := range instances {
			if permit := instances[i].Permit; permit != nil {
				held++
				g.Expect(told.permits).To(ContainElement(permit.Times), "permit %s", permit.ID)
			}
		}
		g.Expect(told.permits).To(HaveLen(held))
	}, patience, "200ms").Should(Succeed())
}
