package director_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/director"
	"mooring/director/fakedirector"
)

// several are fake Directors of one deployment each that appear as one: task N
// of the one at place i is N*10+i.
type several []*fakedirector.Director

var taskID = regexp.MustCompile(`("id":|"task_id":"|/tasks/)(\d+)`)

func (s several) ask(i int, r *http.Request) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	s[i].ServeHTTP(answer, r)
	renumber := func(text string) string {
		return taskID.ReplaceAllStringFunc(text, func(found string) string { return found + strconv.Itoa(i) })
	}
	text := renumber(answer.Body.String())
	answer.Body.Reset()
	answer.Body.WriteString(text)
	answer.Header().Set("Location", renumber(answer.Header().Get("Location")))
	return answer
}

func (s several) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(r.URL.Path, "/")
	place := 0
	switch {
	case parts[1] == "deployments":
		_, _ = fmt.Sscanf(parts[2], "d%d", &place)
	case len(parts) > 2: // one task
		id := parts[2]
		place = int(id[len(id)-1] - '0')
		parts[2] = id[:len(id)-1]
		r = r.Clone(r.Context())
		r.URL.Path = strings.Join(parts, "/")
	case parts[1] == "locks" || parts[1] == "tasks":
		all := []json.RawMessage{}
		for i := range s {
			var some []json.RawMessage
			if err := json.Unmarshal(s.ask(i, r).Body.Bytes(), &some); err != nil {
				panic(err)
			}
			all = append(all, some...)
		}
		_ = json.NewEncoder(w).Encode(all)
		return
	}
	answer := s.ask(place, r)
	for name, value := range answer.Header() {
		w.Header()[name] = value
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

func TestDeploymentsAreActedOnAtTheSameTime(t *testing.T) {
	g := NewWithT(t)
	var mu sync.Mutex
	acting, both := map[int]int{}, make(chan struct{})
	var directors several
	for d := range 2 {
		cfg := fakedirector.Config{Deployment: fmt.Sprintf("d%d", d), Group: "cell", AZs: []string{"z1"}, User: "moor", Password: "secret"}
		for i := range 3 {
			cfg.Instances = append(cfg.Instances, &fakedirector.Instance{ID: fmt.Sprint("c", i), AZ: "z1", Index: i, VM: fakedirector.VM{
				PreStop: func(ctx context.Context, _ []string) error {
					mu.Lock()
					acting[d]++
					if acting[d] > 1 {
						t.Errorf("two of one deployment are acted on at once")
					}
					if acting[0] > 0 && acting[1] > 0 {
						select {
						case <-both:
						default:
							close(both)
						}
					}
					mu.Unlock()
					select {
					case <-both:
					case <-ctx.Done():
					}
					return ctx.Err()
				},
				Act: func(string) error { mu.Lock(); defer mu.Unlock(); acting[d]--; return nil },
			}})
		}
		director := fakedirector.New(cfg)
		t.Cleanup(director.Close)
		directors = append(directors, director)
	}
	server := httptest.NewServer(directors)
	t.Cleanup(server.Close)
	client, err := director.New(director.Config{URL: server.URL, Client: "moor", Secret: "secret", Poll: 5 * time.Millisecond})
	g.Expect(err).NotTo(HaveOccurred())
	hands := &director.Hands{Client: client}
	ended := make(chan error, 6)
	for d := range 2 {
		for i := range 3 {
			go func() {
				ended <- hands.Act(t.Context(), fmt.Sprint("d", d), "cell", fmt.Sprint("c", i), "restart", fmt.Sprint("r", d, i), false, nil)
			}()
		}
	}
	g.Eventually(both, "20s").Should(BeClosed())
	for range 6 {
		g.Eventually(ended, "20s").Should(Receive(BeNil()))
	}
	for _, director := range directors {
		g.Expect(director.Tasks()).To(Equal(3))
	}
}
