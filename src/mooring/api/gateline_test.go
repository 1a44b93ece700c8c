package api

import (
	"testing"

	. "github.com/onsi/gomega"

	"mooring/client"
	"mooring/model"
)

func TestTheEndOfAnExplanationInOneLine(t *testing.T) {
	roll := client.Link{Kind: client.LinkRoll, Text: "cell c1 is in line"}
	policy := client.Link{Kind: client.LinkPolicy, Text: "o/s/redis allows max_interrupted 1 of 6", Owner: "redis team"}
	stuck := client.Link{Kind: client.LinkStuck, Text: "cell c1 can never be rolled", Owner: "redis team"}
	decides := client.Link{Kind: client.LinkPerson, Text: "redis team must see to it, or somebody answer: moor resolve s1 skip --reason WHY"}
	instance := client.Link{Kind: client.LinkInstance, Text: "o/s/redis/4 is crashed on cell c2", Owner: "redis team"}
	handler := client.Link{Kind: client.LinkHandler, Name: "o/s/redis/4", Text: "the interrupt handler of o/s/redis/4 is running at 40%, with 12s left"}
	for _, row := range []struct {
		chain  []client.Link
		moving bool
		says   string
	}{
		{[]client.Link{roll, policy, instance}, false, "waits: o/s/redis/4 is crashed on cell c2; redis team can help"},
		{[]client.Link{roll, policy, instance}, true, "o/s/redis/4 is crashed on cell c2"},
		{[]client.Link{roll, policy, handler}, true, "the handler of o/s/redis/4 is at work"},
		{[]client.Link{roll, stuck, policy, decides}, false, "STUCK: cell c1 can never be rolled; " + decides.Text},
		{[]client.Link{roll, policy, decides}, false, "waits: o/s/redis allows max_interrupted 1 of 6; " + decides.Text},
		{[]client.Link{roll, decides}, false, "waits: " + decides.Text},
	} {
		NewWithT(t).Expect(causeOf(&client.Why{Chain: row.chain, Moving: row.moving})).To(Equal(row.says))
	}
}

func TestALineSaysHowFarTheRollIsAndWhatItWaitsFor(t *testing.T) {
	g := NewWithT(t)
	records := rolls("p", model.Recreate, model.Queued, "olga")
	records[0].(*model.Plan).Intent, records[0].(*model.Plan).Reason = model.IntentPause, "lunch"
	g.Expect(gateLine(hostWith(records...), "c1", gateNow)).To(Equal("plan p: queued: waits: somebody paused plan p: lunch"))
	g.Expect(gateLine(hostWith(), "c1", gateNow)).To(BeEmpty(), "there is no roll")
}
