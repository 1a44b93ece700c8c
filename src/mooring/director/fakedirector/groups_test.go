package fakedirector

import (
	"context"
	"slices"
	"sync"
	"testing"

	. "github.com/onsi/gomega"
)

// A deployment has other groups than the one that is updated. They go with it,
// all at once.
func TestAnotherGroupOfTheDeploymentGoesWithIt(t *testing.T) {
	g := NewWithT(t)
	var mu sync.Mutex
	var acted []string
	asked, answer := make(chan string), make(chan struct{})
	instance := func(id, group string) *Instance {
		return &Instance{ID: id, Group: group, AZ: "z1", VM: VM{
			PreStop: func(ctx context.Context, env []string) error {
				if slices.Contains(env, "BOSH_DEPLOYMENT_NEXT_STATE=delete") {
					asked <- id
					<-answer
				}
				return nil
			},
			Act: func(action string) error {
				mu.Lock()
				defer mu.Unlock()
				acted = append(acted, action+" "+id)
				return nil
			},
		}}
	}
	d := New(Config{Deployment: "mooring", Group: "cell", AZs: []string{"z1"}, Instances: []*Instance{
		instance("a", ""), instance("x", "control"), instance("y", "control"),
	}})
	defer d.Close()
	g.Expect(d.Wait(t.Context(), d.Deploy(Update{Action: Recreate, Remove: []string{"y"}}))).To(Succeed())
	g.Expect(acted).To(HaveExactElements("delete y", "recreate a"))

	task := d.DeleteDeployment()
	g.Expect([]string{<-asked, <-asked}).To(ConsistOf("a", "x"))
	close(answer)
	g.Expect(d.Wait(t.Context(), task)).To(Succeed())
	g.Expect(acted[2:]).To(ConsistOf("delete a", "delete x"))
}
