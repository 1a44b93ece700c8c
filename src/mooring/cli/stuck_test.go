package cli_test

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
)

func TestStuck(t *testing.T) {
	g := NewWithT(t)
	api := newAPI(t)
	second := model.Stuck{ID: "77aa", Kind: model.CellGone, What: "cell-5 went without leave", Since: time.Now().Add(-time.Hour), CellID: "cell-5",
		Data:   []string{"acme/prod/db/5"},
		Answer: &model.Answer{Verb: model.Lost, Reason: "burnt", By: "ann"}}
	api.answers("GET /v1/stuck", []model.Stuck{hung(), second})
	want := lines(
		"STUCK 77aa: cell-5 went without leave",
		"  kind:      cell-gone",
		"  since:     TIME (1h ago)",
		"  cell:      cell-5",
		"  data:      acme/prod/db/5",
		"  answered:  lost by ann: burnt",
		"  runbook:   docs/runbooks/cell-gone.md",
	)
	r := api.run(t, "stuck")
	g.Expect(r.status).To(Equal(0), r.err)
	g.Expect(undated(r.out)).To(And(HavePrefix("STUCK 4f1c: "), HaveSuffix("\n\n"+want)))
	g.Expect(undated(api.run(t, "stuck", "77").out)).To(Equal(want))
	g.Expect(api.run(t, "stuck", "xx")).To(Equal(result{1, "", "moor: nothing stuck has the id xx; it may have moved again, see moor stuck\n"}))
}

func TestNothingIsStuck(t *testing.T) {
	api := newAPI(t)
	api.answers("GET /v1/stuck", []model.Stuck{})
	NewWithT(t).Expect(api.run(t, "stuck")).To(Equal(result{0, "nothing is stuck\n", ""}))
	NewWithT(t).Expect(api.run(t, "stuck", "--json")).To(Equal(result{0, "[]\n", ""}))
}

func TestResolve(t *testing.T) {
	g := NewWithT(t)
	api := newAPI(t)
	api.answers("GET /v1/stuck", []model.Stuck{hung(), {ID: "4f2d", Answers: []model.Verb{model.Skip}}})
	api.answers("PUT /v1/stuck/4f1c/answer", hung())

	r := api.run(t, "resolve", "4f1", "wait", "--for", "10m", "--reason", "large keys", "--by", "ann")
	g.Expect(r).To(Equal(result{0, "4f1c is answered with wait\n", ""}))
	g.Expect(api.requests()[1]).To(Equal(`PUT /v1/stuck/4f1c/answer {"verb":"wait","reason":"large keys","by":"ann","for":"10m"}`))

	g.Expect(api.run(t, "resolve", "4f1c", "force", "--reason", "x", "--by", "ann").status).To(Equal(0), "an interrupt loses no data")

	for name, row := range map[string]struct {
		args   []string
		status int
		says   string
	}{
		"no reason":          {[]string{"4f1c", "retry"}, 2, "reason: is missing"},
		"an unknown answer":  {[]string{"4f1c", "shoot", "--reason", "x"}, 2, `verb: is "shoot"; use wait, retry, force, skip or lost`},
		"wait for how long":  {[]string{"4f1c", "wait", "--reason", "x"}, 2, "for: is missing"},
		"an ambiguous id":    {[]string{"4f", "skip", "--reason", "x"}, 1, "4f is the beginning of 2 ids"},
		"an answer not open": {[]string{"4f2d", "retry", "--reason", "x"}, 1, "retry is no answer to this; use one of: skip"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			r := api.run(t, append([]string{"resolve"}, row.args...)...)
			g.Expect(r.status).To(Equal(row.status))
			g.Expect(r.err).To(ContainSubstring(row.says))
		})
	}
}

func TestResolveOfWhatIsStuckNoMoreSaysWhatBecameOfIt(t *testing.T) {
	g := NewWithT(t)
	api := newAPI(t)
	api.answers("GET /v1/stuck", []model.Stuck{})
	api.refuses("PUT /v1/stuck/4f1c/answer", 409, "4f1c was answered with force by kim at 12:00:00, which has been carried out")
	r := api.run(t, "resolve", "4f1c", "retry", "--reason", "x")
	g.Expect(r.status).NotTo(BeZero())
	g.Expect(r.err).To(ContainSubstring("answered with force by kim at 12:00:00"))

	api.refuses("PUT /v1/stuck/4f/answer", 404, "nothing stuck has the id 4f")
	r = api.run(t, "resolve", "4f", "retry", "--reason", "x")
	g.Expect(r.status).To(Equal(1))
	g.Expect(r.err).To(ContainSubstring("see moor stuck"))
}

func TestResolveSaysWhoAnsweredTheSameBefore(t *testing.T) {
	g := NewWithT(t)
	api := newAPI(t)
	item := hung()
	api.answers("GET /v1/stuck", []model.Stuck{item})
	item.Answer = &model.Answer{Verb: model.Retry, Reason: "the lock is free", By: "kim"}
	api.answers("PUT /v1/stuck/4f1c/answer", item)
	r := api.run(t, "resolve", "4f1c", "retry", "--reason", "handler fixed")
	g.Expect(r).To(Equal(result{0, "4f1c was answered with retry by kim already (the lock is free); your reason is kept too\n", ""}))
}

func TestResolveNamesTheDataThatIsLost(t *testing.T) {
	api := newAPI(t)
	drain := hung()
	drain.Data = []string{"acme/prod/db/2", "acme/prod/log/2"}
	api.answers("GET /v1/stuck", []model.Stuck{drain})
	api.answers("PUT /v1/stuck/4f1c/answer", drain)
	answers := func() (n int) {
		for _, request := range api.requests() {
			if request[:3] == "PUT" {
				n++
			}
		}
		return n
	}
	for name, row := range map[string]struct {
		in     string
		args   []string
		status int
	}{
		"typed":             {"acme/prod/db/2\nacme/prod/log/2\n", nil, 0},
		"given":             {"", []string{"--confirm", "acme/prod/db/2", "--confirm", "acme/prod/log/2"}, 0},
		"half given":        {"", []string{"--confirm", "acme/prod/db/2"}, 1},
		"typed wrongly":     {"acme/prod/db/3\n", nil, 1},
		"half typed":        {"acme/prod/db/2\n", nil, 1},
		"yes is not enough": {"y\ny\n", nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			before := answers()
			r := api.runWith(t, row.in, append([]string{"resolve", "4f1c", "force", "--reason", "x"}, row.args...)...)
			g.Expect(r.status).To(Equal(row.status), r.err)
			g.Expect(answers()-before).To(Equal(1-row.status), "answers given")
			if row.args == nil && row.status != 0 {
				g.Expect(r.err).To(ContainSubstring("moor: nothing was done"))
			}
			if row.args == nil {
				g.Expect(r.err).To(ContainSubstring("With force, the data of acme/prod/db/2, acme/prod/log/2 will be lost for good."))
			}
		})
	}
}
