package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/model"
)

var flagged = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func aNotice(change Change) Notice {
	return Notice{
		ID: "7-0", Change: change, At: flagged.Add(time.Hour), Text: "it hangs", AZ: "z1",
		Stuck: &model.Stuck{
			ID: "plan.c1.handler-hung", Kind: model.HandlerHung, What: "it hangs", Advice: "retry it", Plan: "plan", CellID: "c1",
			App: &model.Name{Org: "acme", Space: "prod", Name: "redis"}, Index: 0, Owner: "team-redis", Phase: model.Draining,
			Since: flagged.Add(-time.Minute), FlaggedAt: flagged, Progress: 0.31, Message: "5300 of 16384",
			Output: []string{"one", "two"}, Blocks: []string{"c1", "c2"}, Data: []string{"acme/prod/redis/0"},
			Answers: []model.Verb{model.Wait, model.Force},
		},
	}
}

// server takes one request and answers with a status.
func server(t *testing.T, status int) (url string, body *bytes.Buffer, header *http.Header) {
	body, header = &bytes.Buffer{}, &http.Header{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body.Reset()
		if _, err := io.Copy(body, r.Body); err != nil {
			t.Error(err)
		}
		*header = r.Header
		header.Set("Path", r.Method+" "+r.URL.Path)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "as I said")
	}))
	t.Cleanup(s.Close)
	return s.URL, body, header
}

func TestAWebhookIsSentSignedCloudEvents(t *testing.T) {
	g := NewWithT(t)
	url, body, header := server(t, http.StatusNoContent)
	hook := &webhook{url: url + "/hook", secret: []byte("s3cret"), client: http.DefaultClient}

	g.Expect(hook.Send(t.Context(), []Notice{aNotice(Opened)})).To(Succeed())

	g.Expect(header.Get("Path")).To(Equal("POST /hook"))
	g.Expect(header.Get("Content-Type")).To(Equal("application/cloudevents+json"))
	signature := header.Get(SignatureHeader)
	g.Expect(hmac.Equal([]byte(signature), []byte(Sign([]byte("s3cret"), body.Bytes())))).To(BeTrue())
	g.Expect(Sign([]byte("other"), body.Bytes())).NotTo(Equal(signature))
	var event map[string]any
	g.Expect(json.Unmarshal(body.Bytes(), &event)).To(Succeed())
	g.Expect(event).To(And(
		HaveKeyWithValue("specversion", "1.0"), HaveKeyWithValue("id", "7-0"), HaveKeyWithValue("source", "mooring"),
		HaveKeyWithValue("type", "mooring.stuck.opened"), HaveKeyWithValue("subject", "plan.c1.handler-hung"),
		HaveKeyWithValue("time", "2026-11-21T13:00:00Z"), HaveKeyWithValue("datacontenttype", "application/json")))
	g.Expect(event["data"]).To(And(
		HaveKeyWithValue("severity", "warning"), HaveKeyWithValue("runbook", "docs/runbooks/handler-hung.md"), HaveKeyWithValue("az", "z1"),
		HaveKeyWithValue("stuck", HaveKeyWithValue("owner", "team-redis"))))
}

// TestSignKnownAnswer holds the signature to a value computed elsewhere.
func TestSignKnownAnswer(t *testing.T) {
	NewWithT(t).Expect(Sign([]byte("key"), []byte("The quick brown fox jumps over the lazy dog"))).
		To(Equal("sha256=f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"))
}

func TestWhatAReceiverAnswers(t *testing.T) {
	for status, want := range map[int]OmegaMatcher{
		http.StatusOK:                  Succeed(),
		http.StatusAccepted:            Succeed(),
		http.StatusBadRequest:          MatchError(ErrRefused),
		http.StatusUnprocessableEntity: MatchError(ErrRefused),
		http.StatusUnauthorized:        MatchError(And(ContainSubstring("401"), ContainSubstring("as I said"))),
		http.StatusServiceUnavailable:  MatchError(ContainSubstring("503")),
	} {
		g := NewWithT(t)
		url, _, _ := server(t, status)
		err := (&webhook{url: url, client: http.DefaultClient}).Send(t.Context(), []Notice{aNotice(Opened)})
		g.Expect(err).To(want, http.StatusText(status))
		if status == http.StatusUnauthorized {
			g.Expect(err).NotTo(MatchError(ErrRefused), "a secret can be put right")
		}
	}
}

func TestAnAlertKeepsItsLabels(t *testing.T) {
	g := NewWithT(t)
	url, body, header := server(t, http.StatusOK)
	am := newAlertmanager([]string{url + "/"}, time.Minute, "https://moor.example.com")
	am.now = func() time.Time { return flagged }
	sent := func(n Notice) postableAlert {
		g.Expect(am.Send(t.Context(), []Notice{n})).To(Succeed())
		var alerts []postableAlert
		g.Expect(json.Unmarshal(body.Bytes(), &alerts)).To(Succeed())
		g.Expect(alerts).To(HaveLen(1))
		return alerts[0]
	}

	opened := sent(aNotice(Opened))
	g.Expect(header.Get("Path")).To(Equal("POST /api/v2/alerts"))
	g.Expect(opened.Labels).To(Equal(map[string]string{
		"alertname": "MooringHandlerHung", "kind": "handler-hung", "severity": "warning", "id": "plan.c1.handler-hung", "plan": "plan",
		"cell": "c1", "az": "z1", "org": "acme", "space": "prod", "app": "redis", "index": "0"}))
	g.Expect(opened.StartsAt).To(Equal(flagged))
	g.Expect(opened.EndsAt).To(Equal(flagged.Add(5*time.Minute)), "unless it is sent again")
	g.Expect(opened.GeneratorURL).To(Equal("https://moor.example.com/#/cell/c1"))
	g.Expect(opened.Annotations).To(And(
		HaveKeyWithValue("summary", "it hangs"), HaveKeyWithValue("progress", "31%"), HaveKeyWithValue("output", "one\ntwo"),
		HaveKeyWithValue("blocks", "c1, c2"), HaveKeyWithValue("runbook_url", "https://moor.example.com/console/runbooks/handler-hung"),
		HaveKeyWithValue("answers", ContainSubstring("moor resolve plan.c1.handler-hung wait --for TIME --reason WHY\nmoor resolve plan.c1.handler-hung force --reason WHY")), Not(HaveKey("error"))))

	moved := aNotice(Changed)
	changed := *moved.Stuck
	changed.Owner, changed.What, changed.Progress, changed.Phase = "others", "it hangs still", 0.5, model.Moving
	moved.Stuck = &changed
	g.Expect(sent(moved).Labels).To(Equal(opened.Labels), "or it would be another alert")

	closed := sent(aNotice(Closed))
	g.Expect(closed.Labels).To(Equal(opened.Labels))
	g.Expect(closed.EndsAt).To(Equal(flagged.Add(time.Hour)), "when it moved again")
}

func TestAnAlertSaysWhatEachAnswerWouldDo(t *testing.T) {
	g := NewWithT(t)
	n := aNotice(Opened)
	n.Stuck.Effects = map[model.Verb]string{model.Force: "acme/prod/redis/0 is stopped without its handler; no data is lost."}
	alert := newAlertmanager(nil, 0, "").alert(&n)
	g.Expect(alert.Annotations["answers"]).To(Equal("moor resolve plan.c1.handler-hung wait --for TIME --reason WHY\n" +
		"moor resolve plan.c1.handler-hung force --reason WHY # acme/prod/redis/0 is stopped without its handler; no data is lost."))
}

// A cell is gone with or without a plan, and plans may come to wait for it: that
// does not make it another alert.
func TestAGoneCellIsOneAlertWhateverWaitsForIt(t *testing.T) {
	g := NewWithT(t)
	am := newAlertmanager(nil, 0, "")
	labels := func(plan string) map[string]string {
		return am.alert(&Notice{Stuck: &model.Stuck{ID: "cell.c1.cell-gone", Kind: model.CellGone, CellID: "c1", Plan: plan}}).Labels
	}
	g.Expect(labels("kernel")).To(Equal(labels("")))
	g.Expect(am.alert(&Notice{Stuck: &model.Stuck{Kind: model.CellGone, Plan: "kernel"}}).Annotations).To(HaveKeyWithValue("plan", "kernel"))
}

func TestOneMemberOfAClusterIsEnough(t *testing.T) {
	g := NewWithT(t)
	up, body, _ := server(t, http.StatusOK)
	down, _, _ := server(t, http.StatusInternalServerError)

	g.Expect(newAlertmanager([]string{down, up}, 0, "").Send(t.Context(), []Notice{aNotice(Opened)})).To(Succeed())
	g.Expect(body.Len()).To(BeNumerically(">", 0))
	g.Expect(newAlertmanager([]string{down}, 0, "").Send(t.Context(), []Notice{aNotice(Opened)})).To(MatchError(ContainSubstring("500")))
}

func TestTheLogIsToldHowBadItIs(t *testing.T) {
	g := NewWithT(t)
	var out bytes.Buffer
	log := logged{slog.New(slog.NewTextHandler(&out, nil))}
	gone := Notice{Change: Opened, Text: "gone", Stuck: &model.Stuck{ID: "cell.c1.cell-gone", Kind: model.CellGone, CellID: "c1"}}

	g.Expect(log.Send(context.Background(), []Notice{aNotice(Opened), aNotice(Closed), gone})).To(Succeed())

	g.Expect(out.String()).To(And(
		MatchRegexp(`level=WARN msg="stuck opened: it hangs" .*instance=acme/prod/redis/0`),
		MatchRegexp(`msg="stuck opened: it hangs" .* cell=c1 az=z1 plan=plan phase=draining blocks=c1,c2 data=acme/prod/redis/0 since=2026-11-21T11:59:00.000Z`),
		ContainSubstring(`level=INFO msg="stuck closed`), ContainSubstring(`level=ERROR msg="stuck opened: gone"`)))
}
