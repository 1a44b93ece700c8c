package console

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/client"
	"mooring/model"
	"mooring/state"
)

// told is one message of a stream.
type told struct {
	event   string
	content message
}

// listen opens the stream and gives what it says, without heartbeats.
func listen(t *testing.T, url string) (<-chan told, context.CancelFunc) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/console/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	said := make(chan told, 100)
	go func() {
		defer response.Body.Close()
		defer close(said)
		lines := bufio.NewScanner(response.Body)
		lines.Buffer(nil, 16<<20)
		var next told
		for lines.Scan() {
			if event, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				next.event = event
			}
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok && next.event != "beat" {
				next.content = message{}
				if json.Unmarshal([]byte(data), &next.content) == nil {
					said <- next
				}
			}
		}
	}()
	return said, cancel
}

func serve(t *testing.T, cfg Config) string {
	t.Helper()
	handler, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func TestAStreamIsTheWholeBoardAndThenWhatChanged(t *testing.T) {
	g := NewWithT(t)
	source := newPaper(fleet(3)...)
	said, stop := listen(t, serve(t, Config{Source: source}))
	defer stop()
	var first, second told
	g.Eventually(said, "5s").Should(Receive(&first))
	g.Expect(first.content.Whole).To(BeTrue())
	g.Expect(first.content.Put["cells"]).To(HaveLen(3))
	g.Expect(first.content.MayAct).To(BeTrue())
	source.put(&model.Stuck{ID: "s", What: "it hangs"})
	g.Eventually(said, "5s").Should(Receive(&second))
	g.Expect(second.content.Whole).To(BeFalse())
	g.Expect(second.content.Put["stuck"]).To(HaveLen(1))
	g.Expect(second.content.Put).NotTo(HaveKey("cells"))
}

func TestWhoConnectsAgainGetsTheWholeBoard(t *testing.T) {
	g := NewWithT(t)
	source := newPaper(fleet(3)...)
	url := serve(t, Config{Source: source})
	said, stop := listen(t, url)
	var got told
	g.Eventually(said, "5s").Should(Receive(&got))
	stop()
	g.Eventually(said, "5s").Should(BeClosed())
	source.put(&model.Stuck{ID: "meanwhile"})
	again, stop := listen(t, url)
	defer stop()
	g.Eventually(again, "5s").Should(Receive(&got))
	g.Expect(got.content.Whole).To(BeTrue())
	g.Expect(got.content.Put["stuck"]).To(HaveLen(1), "what happened in between is in it")
}

func TestManyChangesAreGathered(t *testing.T) {
	g := NewWithT(t)
	source := newPaper(fleet(3)...)
	said, stop := listen(t, serve(t, Config{Source: source}))
	defer stop()
	g.Eventually(said, "5s").Should(Receive())
	began := time.Now()
	for i := range 2000 {
		source.put(&model.Stuck{ID: "s", Progress: float64(i)})
	}
	messages := 0
	g.Eventually(func() string {
		select {
		case got := <-said:
			messages++
			return string(got.content.Put["stuck"][0])
		default:
			return ""
		}
	}, "10s", "1ms").Should(ContainSubstring(`"progress":1999`))
	g.Expect(messages).To(BeNumerically("<=", 2+time.Since(began)/(100*time.Millisecond)), "ten a second at most")
}

func TestNothingIsComputedForNobody(t *testing.T) {
	g := NewWithT(t)
	source := newPaper(fleet(3)...)
	said, stop := listen(t, serve(t, Config{Source: source}))
	g.Eventually(said, "5s").Should(Receive())
	stop()
	g.Eventually(said, "5s").Should(BeClosed())
	waits := func() int { source.mu.Lock(); defer source.mu.Unlock(); return source.waiting }
	g.Eventually(func() bool {
		before := waits()
		source.put(&model.Stuck{ID: "s"})
		time.Sleep(3 * pace) // a board would have been computed by now
		return waits() == before
	}, "5s").Should(BeTrue())
}

func twoMinutes(_ *state.Snapshot, _ *model.Plan, now time.Time) *client.Forecast {
	return &client.Forecast{Likely: now.Add(2 * time.Minute)}
}

func TestAForecastArrivesWithoutAChangeOfState(t *testing.T) {
	g := NewWithT(t)
	source := newPaper(append(fleet(4), plan("p", 0, model.PlanRunning, "cell-0", "cell-1"))...)
	said, stop := listen(t, serve(t, Config{Source: source, Forecast: twoMinutes, Now: func() time.Time { return noon }}))
	defer stop()
	g.Eventually(func() string {
		select {
		case got := <-said:
			if len(got.content.Put["plans"]) > 0 {
				return string(got.content.Put["plans"][0])
			}
		default:
		}
		return ""
	}, "5s", "1ms").Should(ContainSubstring(`"likely":"2026-11-21T12:02:00Z"`))
}

func TestAStreamEndsWhenTheStateIsFollowedNoMore(t *testing.T) {
	g := NewWithT(t)
	var broken atomic.Bool
	failed := func() error {
		if broken.Load() {
			return errors.New("record apps/x cannot be read")
		}
		return nil
	}
	said, stop := listen(t, serve(t, Config{Source: newPaper(fleet(1)...), Failed: failed}))
	defer stop()
	g.Eventually(said, "5s").Should(Receive())
	broken.Store(true)
	var last told
	g.Eventually(said, "5s").Should(Receive(&last))
	g.Expect(last.event).To(Equal("failed"))
	g.Eventually(said, "5s").Should(BeClosed())
}

func TestWhoMayNotActIsToldSo(t *testing.T) {
	g := NewWithT(t)
	said, stop := listen(t, serve(t, Config{Source: newPaper(fleet(1)...), MayAct: func(*http.Request) bool { return false }}))
	defer stop()
	var got told
	g.Eventually(said, "5s").Should(Receive(&got))
	g.Expect(got.content.MayAct).To(BeFalse())
}

func TestThePageIsServedAndLoadsNothingFromElsewhere(t *testing.T) {
	g := NewWithT(t)
	url := serve(t, Config{Source: newPaper()})
	for path, kind := range map[string]string{"/": "text/html", "/console/main.js": "text/javascript", "/console/base.css": "text/css", "/console/icon.svg": "image/svg+xml"} {
		response, err := http.Get(url + path)
		g.Expect(err).NotTo(HaveOccurred())
		response.Body.Close()
		g.Expect(response.StatusCode).To(Equal(http.StatusOK), path)
		g.Expect(response.Header.Get("Content-Type")).To(HavePrefix(kind), path)
		g.Expect(response.Header.Get("Content-Security-Policy")).To(ContainSubstring("default-src 'none'"), path)

		request, err := http.NewRequest(http.MethodGet, url+path, nil)
		g.Expect(err).NotTo(HaveOccurred())
		request.Header.Set("If-None-Match", response.Header.Get("ETag"))
		again, err := http.DefaultClient.Do(request)
		g.Expect(err).NotTo(HaveOccurred())
		again.Body.Close()
		g.Expect(again.StatusCode).To(Equal(http.StatusNotModified), path)
	}
	files, err := readPage()
	g.Expect(err).NotTo(HaveOccurred())
	for name, f := range files {
		text := strings.ReplaceAll(string(f.content), "http://www.w3.org/2000/svg", "")
		g.Expect(text).NotTo(MatchRegexp(`https?://|url\(|@import`), name)
	}
	missing, err := http.Get(url + "/console/none.js")
	g.Expect(err).NotTo(HaveOccurred())
	missing.Body.Close()
	g.Expect(missing.StatusCode).To(Equal(http.StatusNotFound))
}

func TestTheOutputOfAnAppIsForThoseWhoMayReadIt(t *testing.T) {
	g := NewWithT(t)
	source := newPaper(fleet(1)...)
	mine, others := model.Name{Org: "acme", Space: "prod", Name: "redis"}, model.Name{Org: "other", Space: "prod", Name: "redis"}
	source.put(&model.Stuck{ID: "mine", App: &mine, Output: []string{"my secret"}})
	source.put(&model.Stuck{ID: "others", App: &others, Output: []string{"their secret"}})
	said, stop := listen(t, serve(t, Config{Source: source, MayRead: func(_ *http.Request, app model.Name) bool { return app == mine }}))
	defer stop()
	put := func() string {
		var got told
		g.Eventually(said, "5s").Should(Receive(&got))
		return string(bytes.Join(rawOf(got.content.Put["stuck"]), nil))
	}
	g.Expect(put()).To(And(ContainSubstring("my secret"), ContainSubstring("(hidden: "), Not(ContainSubstring("their secret"))))
	source.put(&model.Stuck{ID: "others", App: &others, Output: []string{"their secret", "and more of it"}})
	g.Expect(put()).To(And(ContainSubstring("(hidden: "), Not(ContainSubstring("and more"))), "nor when it changes")
	source.put(&model.Stuck{ID: "others", App: &others, Message: "their progress", Handler: &model.Handler{Command: "their command"}})
	g.Expect(put()).To(And(ContainSubstring("(hidden)"), Not(ContainSubstring("their"))), "nor what its handler says, and how it is called")
}

func rawOf(items []json.RawMessage) [][]byte {
	var raw [][]byte
	for _, item := range items {
		raw = append(raw, item)
	}
	return raw
}
