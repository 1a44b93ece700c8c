package cell_test

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"mooring/client"
	"mooring/model"
)

var (
	store = model.Name{Org: "acme", Space: "prod", Name: "store"}
	queue = model.Name{Org: "acme", Space: "prod", Name: "queue"}
)

// tellEnv has an instance write its environment down before it is healthy.
const tellEnv = `env > env.new; mv env.new env; touch ready; ` + sleeping

// ofApp makes work that of an instance of another app.
func ofApp(name model.Name) func(*model.InstanceWork) {
	return func(w *model.InstanceWork) { w.App, w.AppGUID, w.GUID = name, "app-"+name.Name, "guid-"+name.Name }
}

// knowsApps has the control plane know these apps as on the cell.
func (b *bench) knowsApps(names ...model.Name) {
	b.control.set(func(c *control) {
		c.apps = map[model.Name]*client.AppView{}
		for _, name := range names {
			c.apps[name] = &client.AppView{
				App:     model.App{Name: name, Policy: model.Policy{MaxInterrupted: model.Limit{Count: 1}}},
				Members: []client.InstanceView{{Index: 0, Address: "10.0.0.7", Ports: []client.Port{{Name: "bus", Number: 15124}}, Standing: "serving"}},
			}
		}
	})
}

// told is what an instance is told in its environment.
type told struct{ api, token string }

func (b *bench) told(guid string) told {
	b.Helper()
	var env []byte
	b.Eventually(func() (err error) {
		env, err = os.ReadFile(filepath.Join(b.run(), "instances", guid, "root", "env"))
		return err
	}, patience).Should(Succeed())
	var t told
	for line := range strings.Lines(string(env)) {
		switch key, value, _ := strings.Cut(strings.TrimSpace(line), "="); key {
		case "MOORING_API":
			t.api = value
		case "MOORING_TOKEN":
			t.token = value
		}
	}
	b.Expect(t.api).To(HavePrefix("http://127.0.0.1:"))
	b.Expect(len(t.token)).To(BeNumerically(">=", 26), "it cannot be guessed")
	return t
}

// ask asks the cell as an instance does.
func (b *bench) ask(t told, method, path string) (status int, body string) {
	b.Helper()
	request, err := http.NewRequestWithContext(b.Context(), method, t.api+path, nil)
	b.Expect(err).NotTo(HaveOccurred())
	if t.token != "" {
		request.Header.Set("Authorization", "Bearer "+t.token)
	}
	response, err := http.DefaultClient.Do(request)
	b.Expect(err).NotTo(HaveOccurred())
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	b.Expect(err).NotTo(HaveOccurred())
	return response.StatusCode, string(content)
}

func TestAnInstanceAsksItsCellAboutItsOwnAppAlone(t *testing.T) {
	b := newBench(t)
	b.start()
	b.knowsApps(store, queue)
	b.control.give(instance(0, tellEnv, ready), instance(1, tellEnv, ready, ofApp(queue)))
	b.serving(0)
	b.serving(1)
	mine, theirs := b.told("guid-0"), b.told("guid-queue")
	b.Expect(mine.api).To(Equal(theirs.api))
	b.Expect(mine.token).NotTo(Equal(theirs.token))

	api, err := client.New(client.Config{Endpoints: []string{mine.api}, Token: mine.token})
	b.Expect(err).NotTo(HaveOccurred())
	members, err := api.Instances(t.Context(), store)
	b.Expect(err).NotTo(HaveOccurred())
	b.Expect(members).To(HaveExactElements(And(HaveField("Address", "10.0.0.7"), HaveField("Ports", HaveExactElements(client.Port{Name: "bus", Number: 15124})), HaveField("Standing", "serving"))))
	app, err := api.App(t.Context(), store)
	b.Expect(err).NotTo(HaveOccurred())
	b.Expect(app.Policy.MaxInterrupted.Count).To(Equal(1))
	b.Expect(app.Members).To(Equal(members))

	const own, other = "/v1/apps/acme/prod/store", "/v1/apps/acme/prod/queue"
	for _, c := range []struct {
		who          told
		method, path string
		status       int
		says         string
	}{
		{mine, "GET", own, 200, `"name":"store"`},
		{theirs, "GET", other, 200, `"name":"queue"`},
		{mine, "GET", other, 403, "an instance of app acme/prod/store may not look at app acme/prod/queue"},
		{mine, "GET", other + "/instances", 403, "may not look at app acme/prod/queue"},
		{told{api: mine.api}, "GET", own, 401, "Authorization: Bearer $MOORING_TOKEN"},
		{told{mine.api, "guessed"}, "GET", own + "/instances", 401, "no instance that runs on cell cell-1 has this token"},
		{told{mine.api, "guessed"}, "GET", "/v1/apps", 401, "has this token"},
		{mine, "GET", "/v1/apps", 404, "all else is asked of the API"},
		{mine, "PUT", own, 404, "all else is asked of the API"},
		{mine, "DELETE", own, 404, "all else is asked of the API"},
	} {
		status, body := b.ask(c.who, c.method, c.path)
		b.Expect(status).To(Equal(c.status), "%s %s", c.method, c.path)
		b.Expect(body).To(ContainSubstring(c.says), "%s %s", c.method, c.path)
		if status != 200 {
			var problem struct{ Status int }
			b.Expect(json.Unmarshal([]byte(body), &problem)).To(Succeed())
			b.Expect(problem.Status).To(Equal(status))
		}
	}
}

func TestWhileTheControlPlaneIsAwayAnInstanceIsToldSo(t *testing.T) {
	b := newBench(t)
	b.start()
	b.knowsApps(store)
	b.control.give(instance(0, tellEnv, ready))
	b.serving(0)
	mine := b.told("guid-0")
	b.control.cutOff(true)
	status, body := b.ask(mine, "GET", "/v1/apps/acme/prod/store/instances")
	b.Expect(status).To(Equal(503))
	b.Expect(body).To(And(ContainSubstring("the control plane cannot be asked about app acme/prod/store now"), ContainSubstring(errCut.Error())))
	b.control.cutOff(false)
	status, _ = b.ask(mine, "GET", "/v1/apps/acme/prod/store/instances")
	b.Expect(status).To(Equal(200))

	b.knowsApps() // it was moved away, and has not stopped yet
	status, body = b.ask(mine, "GET", "/v1/apps/acme/prod/store/instances")
	b.Expect(status).To(Equal(404))
	b.Expect(body).To(ContainSubstring("no instance of app acme/prod/store is to be on cell cell-1"))
}

func TestATokenIsGoodForAsLongAsItsProcessRuns(t *testing.T) {
	b := newBench(t)
	b.knowsApps(store)
	const path = "/v1/apps/acme/prod/store"
	good := func(t told) bool { status, _ := b.ask(t, "GET", path); return status == 200 }
	agent := b.spawn(b.serve())
	b.control.give(instance(0, tellEnv, ready))
	pid := b.serving(0)
	first := b.told("guid-0")
	b.Expect(good(first)).To(BeTrue())
	records, err := filepath.Glob(filepath.Join(b.run(), "state", "*.json"))
	b.Expect(err).NotTo(HaveOccurred())
	b.Expect(records).To(HaveLen(1))
	info, err := os.Stat(records[0])
	b.Expect(err).NotTo(HaveOccurred())
	b.Expect(info.Mode().Perm()).To(Equal(os.FileMode(0o600)))

	kill(b, agent)
	b.control.set(func(c *control) { c.reports = nil })
	b.start()
	b.Expect(b.serving(0)).To(Equal(pid))
	b.Expect(good(first)).To(BeTrue(), "the process outlived its agent, and asks the next one at the same address")

	b.control.give(instance(0, tellEnv, ready, func(w *model.InstanceWork) { w.SpecVersion = 2 }))
	b.gone(pid)
	b.Eventually(func() int { return b.control.last(0).SpecVersion }, patience).Should(Equal(2))
	b.serving(0)
	b.Expect(good(first)).To(BeFalse())
	// It is called ready because the first process was.
	b.Eventually(func() told { return b.told("guid-0") }, patience).ShouldNot(Equal(first))
	b.Expect(good(b.told("guid-0"))).To(BeTrue())
}

func TestTheAddressThatInstancesAreToldIsTaken(t *testing.T) {
	b := newBench(t)
	b.knowsApps(store)
	b.control.give(instance(0, tellEnv, ready))
	stop := b.start()
	b.serving(0)
	before := b.told("guid-0")
	b.Expect(stop()).To(Succeed())
	b.Expect(os.Remove(filepath.Join(b.root(0), "env"))).To(Succeed())
	taken, err := net.Listen("tcp", strings.TrimPrefix(before.api, "http://"))
	b.Expect(err).NotTo(HaveOccurred())
	defer taken.Close()
	b.start()
	b.serving(0)
	after := b.told("guid-0")
	b.Expect(after.api).NotTo(Equal(before.api))
	status, _ := b.ask(after, "GET", "/v1/apps/acme/prod/store")
	b.Expect(status).To(Equal(200))
}
