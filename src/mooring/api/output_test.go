package api

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/access"
	"mooring/client"
	"mooring/model"
)

// What the instances of an app write is for those who may read its logs, by
// whichever route it would come.
func TestOutputIsForThoseWhoMayReadTheLogs(t *testing.T) {
	g, f := NewWithT(t), newFixture(t).withCells(t, 1)
	_, err := f.CreateVolumeSet(t.Context(), client.VolumeSetRequest{Name: named("db"), Class: model.ClassPersistent, Count: 1, Size: model.Gigabyte})
	g.Expect(err).NotTo(HaveOccurred())
	_, err = f.Push(t.Context(), aPush("db", 1))
	g.Expect(err).NotTo(HaveOccurred())
	app := f.store.Snapshot().AppNamed(named("db"))
	_, err = f.StartPlan(t.Context(), aPlan("one", "c1"))
	g.Expect(err).NotTo(HaveOccurred())
	name, wrote := named("db"), []string{"the password is sesame"}
	item := aStuck("a")
	item.Plan, item.CellID, item.App, item.AppGUID, item.Index, item.Output = "one", "c1", &name, app.GUID, 0, wrote
	f.put(t, item,
		&model.Roll{Plan: "one", CellID: "c1", Action: model.Reboot, Phase: model.Interrupting, StuckID: "a"},
		&model.Instance{AppGUID: app.GUID, Placement: model.Placement{GUID: "i", CellID: "c1"}},
		&model.ActualInstance{AppGUID: app.GUID, CellID: "c1", GUID: "i", State: model.Crashed, Output: wrote, Disruption: &model.ActualDisruption{PermitID: "p", Output: wrote}})
	tx := f.store.Snapshot().Txn()
	tx.Event(model.Event{At: time.Now(), Kind: model.EventStuckOpened, Actor: "orchestrator", Plan: "one", Stuck: item})
	_, err = f.store.Commit(t.Context(), tx)
	g.Expect(err).NotTo(HaveOccurred())

	for who, c := range map[string]struct {
		role string
		may  bool
	}{
		"its developer":     {"developer:acme/prod", true},
		"another developer": {"developer:acme/test", false},
		"an auditor":        {"auditor", true},
		"an operator":       {"operator", true},
	} {
		for _, path := range []string{
			"/v1/stuck", "/v1/events", "/v1/events/stream?after=0", "/v1/why/cells/c1", "/v1/why/plans/one", "/v1/plans", "/v1/plans/one", "/v1/plans/one/stream",
			"/v1/apps/acme/prod/db", "/v1/apps/acme/prod/db/instances", "/v1/cells/c1",
		} {
			text := f.textFor(t, c.role, path)
			g.Expect(text).NotTo(BeEmpty())
			if c.may {
				g.Expect(text).To(ContainSubstring("sesame"), "%s at %s", who, path)
			} else {
				g.Expect(text).NotTo(ContainSubstring("sesame"), "%s at %s", who, path)
				g.Expect(text).To(Or(ContainSubstring("(hidden: "), ContainSubstring("for those who may read the logs")), "it says so at %s", path)
			}
		}
	}
	g.Expect(f.store.Snapshot().StuckItem("a").Output).To(Equal(wrote), "what is hidden is kept")

	answered, err := f.as(t, "olga", "operator").Answer(t.Context(), "a", model.Answer{Verb: model.Retry, Reason: "mended"})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(answered.Output).To(Equal(wrote))
}

// textFor gives what somebody with a role is shown at a path: all of it, or of a
// stream what comes until the output, or what stands for it, has come.
func (f *fixture) textFor(t *testing.T, roleName, path string) string {
	t.Helper()
	g := NewWithT(t)
	role, err := access.ParseRole(roleName)
	g.Expect(err).NotTo(HaveOccurred())
	handler := f.handler(t, f.store)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r.WithContext(access.With(r.Context(), &access.Actor{Name: "somebody", Roles: []access.Role{role}})))
	}))
	defer server.Close()
	defer server.CloseClientConnections()
	response, err := http.Get(server.URL + path)
	g.Expect(err).NotTo(HaveOccurred())
	defer response.Body.Close()
	g.Expect(response.StatusCode).To(Equal(http.StatusOK), path)
	var text strings.Builder
	for lines := bufio.NewReader(response.Body); ; {
		line, err := lines.ReadString('\n')
		text.WriteString(line)
		if err != nil || strings.Contains(line, "sesame") || strings.Contains(line, "(hidden: ") {
			return text.String()
		}
	}
}
