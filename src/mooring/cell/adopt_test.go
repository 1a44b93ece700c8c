package cell_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/client"
	"mooring/model"
)

// serve puts the control plane on the network.
func (b *bench) serve() string {
	answer := func(w http.ResponseWriter, value any, err error) {
		var refused *client.Error
		switch {
		case errors.As(err, &refused):
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(refused.Status)
			json.NewEncoder(w).Encode(refused)
		case err != nil:
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			w.Header().Set("Content-Type", "application/json")
			json.NewEncoder(w).Encode(value)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/cells/{id}/register", func(w http.ResponseWriter, r *http.Request) {
		var body model.Registration
		json.NewDecoder(r.Body).Decode(&body)
		lease, err := b.control.Register(r.Context(), body)
		answer(w, lease, err)
	})
	mux.HandleFunc("POST /v1/cells/{id}/report", func(w http.ResponseWriter, r *http.Request) {
		var body model.Report
		json.NewDecoder(r.Body).Decode(&body)
		lease, err := b.control.Report(r.Context(), "", body)
		answer(w, lease, err)
	})
	mux.HandleFunc("GET /v1/cells/{id}/work", func(w http.ResponseWriter, r *http.Request) {
		after, _ := strconv.ParseInt(r.URL.Query().Get("after"), 10, 64)
		wait, _ := time.ParseDuration(r.URL.Query().Get("wait"))
		work, err := b.control.Work(r.Context(), "", after, wait)
		if work == nil && err == nil {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		answer(w, work, err)
	})
	mux.HandleFunc("GET /v1/cells/{id}/apps/{org}/{space}/{name}", func(w http.ResponseWriter, r *http.Request) {
		name := model.Name{Org: r.PathValue("org"), Space: r.PathValue("space"), Name: r.PathValue("name")}
		app, err := b.control.AppOn(r.Context(), r.PathValue("id"), name)
		answer(w, app, err)
	})
	server := httptest.NewServer(mux)
	b.Cleanup(server.CloseClientConnections)
	b.Cleanup(server.Close)
	return server.URL
}

// spawn runs an agent in a process of its own, to be killed.
func (b *bench) spawn(api string) *exec.Cmd {
	b.Helper()
	config, err := json.Marshal(agentConfig{Run: b.run(), Volumes: b.volumes.dir, Boot: b.boot, API: api})
	b.Expect(err).NotTo(HaveOccurred())
	agent := exec.Command(os.Args[0])
	agent.Env = append(os.Environ(), agentEnv+"="+string(config))
	agent.Stderr = os.Stderr
	b.Expect(agent.Start()).To(Succeed())
	b.Cleanup(func() { agent.Process.Kill(); agent.Wait() })
	return agent
}

func kill(b *bench, agent *exec.Cmd) {
	b.Helper()
	b.Expect(agent.Process.Kill()).To(Succeed())
	agent.Wait()
}

func TestInstancesGoOnWhileTheirAgentIsDeadAndAreTakenUpAgain(t *testing.T) {
	b := newBench(t)
	api := b.serve()
	agent := b.spawn(api)
	w := instance(0, `echo start >> starts; touch ready; trap 'exit 0' TERM; `+sleepLoop, ready, b.mounted("volume-1", "persistent"))
	gone := instance(1, sleeping)
	b.control.give(w, gone)
	pid, unwanted := b.serving(0), b.serving(1)
	kill(b, agent)
	b.Expect(running(pid)).To(BeTrue())
	b.control.set(func(c *control) { c.work.Instances, c.reports = []model.InstanceWork{w}, nil })

	stop := b.start()

	b.Expect(b.serving(0)).To(Equal(pid))
	b.gone(unwanted)
	b.Expect(b.control.last(0).Restarts).To(BeZero())
	starts, err := os.ReadFile(filepath.Join(b.root(0), "starts"))
	b.Expect(err).NotTo(HaveOccurred())
	b.Expect(string(starts)).To(Equal("start\n"))
	b.Expect(b.volumes.history()).To(BeEmpty(), "its volume stays attached")
	b.Expect(stop()).To(Succeed())
	b.gone(pid)
}

func TestProcessThatEndsWhileNobodyWatchesHasCrashed(t *testing.T) {
	b := newBench(t)
	agent := b.spawn(b.serve())
	b.control.give(instance(0, `while ! test -e end; do sleep 0.01; done`))
	pid := b.serving(0)
	kill(b, agent)
	b.Expect(os.WriteFile(filepath.Join(b.root(0), "end"), nil, 0o600)).To(Succeed())
	b.gone(pid)
	b.Expect(os.Remove(filepath.Join(b.root(0), "end"))).To(Succeed())
	b.start()
	b.Eventually(func() int { return b.control.last(0).Restarts }, patience).Should(Equal(1))
	b.serving(0)
	b.Expect(b.control.last(0).StartedAfter).To(Equal(model.AfterCrash))
	b.Expect(b.control.last(0).LastExit).To(Equal("ended while no agent watched"))
}

func TestHandlerOfADeadAgentIsKilledAndRunsAgain(t *testing.T) {
	b := newBench(t)
	agent := b.spawn(b.serve())
	w := instance(0, sleeping)
	b.control.give(w)
	pid := b.serving(0)
	b.control.give(wantOut(w, model.Interrupt, command(`echo $$ > handler.pid; while ! test -e go; do sleep 0.01; done`)))
	first := b.number(filepath.Join(b.root(0), "handler.pid"))
	kill(b, agent)
	b.Expect(running(first)).To(BeTrue())
	b.start()
	b.gone(first)
	b.Eventually(func() int { return b.number(filepath.Join(b.root(0), "handler.pid")) }, patience).ShouldNot(Equal(first))
	b.Expect(running(pid)).To(BeTrue())
	b.Expect(os.WriteFile(filepath.Join(b.root(0), "go"), nil, 0o600)).To(Succeed())
	b.Eventually(b.disruption(0), patience).Should(Equal(model.TaskYielded))
	b.gone(pid)
}

func TestYieldIsRememberedAcrossACrashOfTheAgent(t *testing.T) {
	b := newBench(t)
	agent := b.spawn(b.serve())
	w := instance(0, `echo start >> starts; touch ready; `+sleeping, ready)
	b.control.give(w)
	b.serving(0)
	b.control.give(wantOut(w, model.Drain, command(`echo drained >> starts`)))
	b.Eventually(b.disruption(0), patience).Should(Equal(model.TaskYielded))
	kill(b, agent)
	b.control.set(func(c *control) { c.reports = nil })
	b.start()
	b.Eventually(b.disruption(0), patience).Should(Equal(model.TaskYielded))
	b.Expect(b.state(0)()).To(Equal(model.Stopped))
	starts, err := os.ReadFile(filepath.Join(b.root(0), "starts"))
	b.Expect(err).NotTo(HaveOccurred())
	b.Expect(string(starts)).To(Equal("start\ndrained\n"))
}

func TestNewBootTakesNothingUp(t *testing.T) {
	b := newBench(t)
	agent := b.spawn(b.serve())
	b.control.give(instance(0, sleeping))
	pid := b.serving(0)
	kill(b, agent)
	b.boot = "boot-2"
	b.start()
	b.gone(pid)
	b.Eventually(func() int { return b.control.last(0).Restarts }, patience).Should(Equal(1))
	b.serving(0)
	b.Expect(b.control.last(0).StartedAfter).To(Equal(model.AfterCrash))
}
