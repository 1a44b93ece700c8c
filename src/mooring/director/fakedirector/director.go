package fakedirector

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"mooring/director/fakedirector/deployment"
	"mooring/director/fakedirector/vm"
)

// VM is the host of one instance. Any of its functions may be nil: it does
// nothing then.
type VM struct {
	// PreStop runs the pre-stop script with these variables added to its
	// environment. An error fails the instance.
	PreStop func(ctx context.Context, env []string) error
	// Act does what follows pre-stop, up to the start of the processes:
	// Restart, Stop, Detach, Start, Recreate or Delete. An error fails the
	// instance; with Recreate, the VM is gone then.
	Act func(action string) error
	// PostStart runs the post-start script once the processes run.
	PostStart func(ctx context.Context) error
}

// Instance is one instance of the group.
type Instance struct {
	ID, AZ string
	// Group is another group than Config's; "" is that one. Such an instance
	// never has anything to be updated: it goes, by a scale-in or with the
	// deployment.
	Group     string
	Index     int
	Bootstrap bool
	VM        VM
	ignored   bool
	// gone: its VM was deleted and could not be made again. There is nothing to
	// run a script on until it is.
	gone bool
	// silent: its agent does not answer.
	silent bool
	// stopped: nothing of it runs, since it was stopped.
	stopped bool
	// machine is its VM where a manifest asks for it, instead of VM.
	machine *machine
}

// Config says what the Director manages: one deployment, of which one group is
// updated.
type Config struct {
	Deployment, Group string
	Instances         []*Instance
	// AZs is their order in the manifest.
	AZs []string
	// Workers is how many tasks run at once; 0 means 3.
	Workers int
	// LockTimeout stands for the 10 s after which a task gives up waiting for
	// a lock; 0 means 10 s.
	LockTimeout time.Duration
	// Version is 280.1.15 unless given.
	Version string
	// User and Password are accepted as a basic login, and as those of a UAA
	// client when UAA is set.
	User, Password string
	UAA            bool
	// TokenLife is how long a token lasts; 0 means an hour.
	TokenLife time.Duration
	// Planner and Cloud are what manifests are deployed with, instead of
	// Instances.
	Planner *deployment.Director
	Cloud   *vm.Cloud
}

// Director is a fake Director. It is an http.Handler.
type Director struct {
	cfg     Config
	mux     *http.ServeMux
	workers chan struct{}
	ctx     context.Context
	stop    context.CancelFunc
	running sync.WaitGroup

	mu        sync.Mutex
	instances []*Instance
	tasks     []*task
	holder    *task // of the deployment's lock
	freed     chan struct{}
	deleted   bool
	tokens    map[string]time.Time
	logins    int
	url       string
	cut       bool
	refused   int  // requests while it was cut
	forbidden bool // nobody is let in
	broken    bool // it answers, and cannot do what it is asked
	deaf      bool // the next task is started and nobody hears of it
	// deployed is what the last manifest made of the deployment; carried is
	// whether any was carried out to its end.
	deployed *deployment.Deployment
	carried  bool
}

// New gives a Director. Close ends it.
func New(cfg Config) *Director {
	if cfg.Workers == 0 {
		cfg.Workers = 3
	}
	if cfg.LockTimeout == 0 {
		cfg.LockTimeout = 10 * time.Second
	}
	if cfg.Version == "" {
		cfg.Version = "280.1.15"
	}
	if cfg.Planner != nil {
		cfg.AZs = cfg.Planner.Cloud.AZs
	}
	if cfg.TokenLife == 0 {
		cfg.TokenLife = time.Hour
	}
	d := &Director{cfg: cfg, workers: make(chan struct{}, cfg.Workers), freed: make(chan struct{}), tokens: map[string]time.Time{}}
	// Copies: two Directors made of one Config share nothing.
	for _, instance := range cfg.Instances {
		own := *instance
		d.instances = append(d.instances, &own)
	}
	d.ctx, d.stop = context.WithCancel(context.Background())
	d.routes()
	return d
}

// Close ends all tasks and waits for them. A task that is asked for later stays
// queued.
func (d *Director) Close() {
	d.mu.Lock()
	d.stop()
	d.mu.Unlock()
	d.running.Wait()
}

// At tells the Director its own address, which it gives out for its UAA and in
// redirects.
func (d *Director) At(url string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.url = url
}

// Cut makes the Director unreachable, or reachable again. Its tasks go on.
func (d *Director) Cut(cut bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cut = cut
}

// Refused gives how many requests came while the Director was cut off.
func (d *Director) Refused() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.refused
}

// LoseAnswer has the next call that starts a task do so and break off before
// its answer.
func (d *Director) LoseAnswer() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.deaf = true
}

// ForgetTokens makes every token that was given out worthless, as a UAA that
// changed its keys does.
func (d *Director) ForgetTokens() {
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.tokens)
}

// Logins counts the tokens that were given out.
func (d *Director) Logins() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.logins
}

func (d *Director) isGone(i *Instance) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return i.gone
}

func (d *Director) setGone(i *Instance, gone bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	i.gone = gone
	i.silent = i.silent && gone // a new VM answers
}

func (d *Director) isStopped(i *Instance) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return i.stopped
}

func (d *Director) setStopped(i *Instance, stopped bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	i.stopped = stopped
}

// inOrder gives what would be updated, in the order in which it would be: a
// slice for each AZ.
func (d *Director) inOrder(which func(*Instance) bool) [][]*Instance {
	d.mu.Lock()
	defer d.mu.Unlock()
	var byAZ [][]*Instance
	for _, az := range d.cfg.AZs {
		var members []*Instance
		for _, instance := range d.instances {
			if instance.AZ == az && which(instance) && !instance.ignored {
				members = append(members, instance)
			}
		}
		slices.SortFunc(members, func(a, b *Instance) int {
			if a.Bootstrap != b.Bootstrap {
				if a.Bootstrap {
					return -1
				}
				return 1
			}
			return strings.Compare(a.ID, b.ID)
		})
		if len(members) > 0 {
			byAZ = append(byAZ, members)
		}
	}
	return byAZ
}

// groupOf names the group of an instance.
func (d *Director) groupOf(i *Instance) string { return cmp.Or(i.Group, d.cfg.Group) }

// instance finds an instance by its ID or, in the group that is updated, by its
// index.
func (d *Director) instance(id string) *Instance {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, instance := range d.instances {
		if instance.ID == id || d.groupOf(instance) == d.cfg.Group && fmt.Sprint(instance.Index) == id {
			return instance
		}
	}
	return nil
}

func (d *Director) remove(gone *Instance) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.instances = slices.DeleteFunc(d.instances, func(i *Instance) bool { return i == gone })
}
