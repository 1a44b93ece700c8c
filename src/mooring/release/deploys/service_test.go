package deploys

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/client"
	"mooring/model"
)

// service is an app on the cells' persistent disks. Its instances answer on a
// port with how often they were started, of which their volumes keep count.
type service struct {
	site      *site
	name      string
	instances int
}

const answers = `echo start >>data/starts; exec ruby -rsocket -e 's = TCPServer.new("0.0.0.0", ENV.fetch("PORT").to_i); loop { c = s.accept; c.puts File.readlines("data/starts").size; c.close }'`

// push makes a service whose policy can spare one instance, and waits until it
// serves. As long as there are as many cells, each has at most one of them.
func (s *site) push(t *testing.T, name string, instances int) *service {
	t.Helper()
	made := &service{site: s, name: name, instances: instances}
	s.moor(t, "", "create-volume-set", name, "--class", "persistent", "--count", fmt.Sprint(instances), "--size", "1M")
	s.moor(t, fmt.Sprintf(`applications:
- name: %s
  owner: tests
  instances: %d
  memory: 32M
  command: %q
  ports: [main]
  health: {type: port, interval: 200ms}
  mounts: [{volume: %s, path: /data}]
  lifecycle:
    max_interrupted: 1
    max_draining: 1
    drain: none
    healthy_for: 1s
`, name, instances, answers, name), "push", "-f", "-")
	made.serves(t)
	return made
}

// serves waits until all instances serve.
func (a *service) serves(t *testing.T) {
	t.Helper()
	api := a.site.client(t)
	NewWithT(t).Eventually(func() (int, error) {
		view, err := api.App(t.Context(), a.id())
		if err != nil {
			return 0, err
		}
		return view.Serving, nil
	}, time.Minute, 200*time.Millisecond).Should(Equal(a.instances))
}

// delete deletes the service and its data, and waits until both are gone.
func (a *service) delete(t *testing.T) {
	t.Helper()
	a.site.moor(t, "", "delete", a.name, "--force")
	refused := func(args ...string) func() error {
		return func() error { _, err := a.site.tryMoor(t, "", args...); return err }
	}
	g := NewWithT(t)
	g.Eventually(refused("delete-volume-set", a.name, "--confirm", a.name), time.Minute, time.Second).Should(Succeed(), "its instances stop first")
	g.Eventually(refused("volumes", a.name), time.Minute, time.Second).ShouldNot(Succeed())
}

func (a *service) id() model.Name { return model.Name{Org: "default", Space: "default", Name: a.name} }

// watched is what a look from outside, every 100 ms, has seen.
type watched struct {
	mu   sync.Mutex
	most int            // instances that did not answer at once
	when time.Time      // that was
	last map[int]string // what each instance said last
}

// watch looks whether each instance answers, until it is ended.
func (a *service) watch(t *testing.T) (end func() *watched) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	seen, api := &watched{last: map[int]string{}}, a.site.client(t)
	var looking sync.WaitGroup
	looking.Go(func() {
		at := map[int]string{}
		for tick := time.NewTicker(100 * time.Millisecond); ; {
			a.look(ctx, api, at, seen)
			select {
			case <-tick.C:
			case <-ctx.Done():
				tick.Stop()
				return
			}
		}
	})
	return func() *watched { cancel(); looking.Wait(); return seen }
}

// look asks every instance once. Where they are is the API's to say; while it
// does not, they are where they were.
func (a *service) look(ctx context.Context, api *client.Client, at map[int]string, seen *watched) {
	asking, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if view, err := api.App(asking, a.id()); err == nil {
		for _, member := range view.Members {
			if len(member.Ports) > 0 {
				at[member.Index] = net.JoinHostPort(member.Address, fmt.Sprint(member.Ports[0].Number))
			}
		}
	}
	var mu sync.Mutex
	var asked sync.WaitGroup
	up := 0
	for index, address := range at {
		asked.Go(func() {
			said, err := ask(ctx, address)
			if err != nil {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			up++
			seen.mu.Lock()
			defer seen.mu.Unlock()
			seen.last[index] = said
		})
	}
	asked.Wait()
	seen.mu.Lock()
	defer seen.mu.Unlock()
	if away := a.instances - up; ctx.Err() == nil && away > seen.most {
		seen.most, seen.when = away, time.Now()
	}
}

// ask reads what an instance says.
func ask(ctx context.Context, address string) (string, error) {
	dialer := net.Dialer{Timeout: 500 * time.Millisecond}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(500 * time.Millisecond))
	said := make([]byte, 16)
	n, err := conn.Read(said)
	return strings.TrimSpace(string(said[:n])), err
}
