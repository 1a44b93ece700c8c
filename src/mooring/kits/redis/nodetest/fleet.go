package nodetest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"mooring/client"
	"mooring/model"
)

// App is the name of the app whose instances the fleet runs.
var App = model.Name{Org: "acme", Space: "prod", Name: "redis-data"}

// token is what the instances show.
const token = "shown by instances"

// Fleet is the instances of one app, each on its own address and volume.
type Fleet struct {
	t   testing.TB
	api *httptest.Server
	// Mute makes the API answer nothing but 503.
	Mute atomic.Bool
	// network is the first three parts of the addresses.
	network string

	lock      sync.Mutex
	moves     int // how many addresses were given anew
	instances []*instance
}

// instance is one process and where it runs. Its fields are guarded by the
// fleet's lock.
type instance struct {
	index     int
	host, dir string
	port, bus int
	cell, az  string
	wanted    bool // start it again when it dies
	process   *os.Process
	ended     chan struct{} // closed when process has ended
	output    *log
}

// networks gives each fleet of a test binary loopback addresses of its own.
var networks atomic.Int32

// New makes a fleet of n instances, alternating between two AZs, and stops it
// at the end of the test. None is started.
func New(t testing.TB, n int) *Fleet {
	t.Helper()
	NeedServer(t)
	f := &Fleet{t: t}
	f.api = httptest.NewServer(http.HandlerFunc(f.answer))
	f.network = fmt.Sprintf("127.%d.%d", 90+os.Getpid()%100, (os.Getpid()/100+int(networks.Add(1)))%250)
	for index := range n {
		f.instances = append(f.instances, &instance{
			index: index, host: fmt.Sprintf("%s.%d", f.network, index+1), dir: t.TempDir(), output: &log{},
			cell: fmt.Sprintf("c%d", index), az: []string{"z1", "z2"}[index%2],
		})
		f.newPorts(index)
	}
	t.Cleanup(f.close)
	return f
}

func (f *Fleet) close() {
	for _, in := range f.instances {
		f.lock.Lock()
		in.wanted = false
		process, ended := in.process, in.ended
		f.lock.Unlock()
		if process != nil {
			_ = process.Kill()
			<-ended
		}
	}
	f.api.Close()
	if f.t.Failed() {
		for _, in := range f.instances {
			f.t.Logf("output of instance %d:\n%s", in.index, in.output.tail())
		}
	}
}

// newPorts finds two free ports for an instance.
func (f *Fleet) newPorts(index int) {
	in := f.instances[index]
	free := func() int {
		listener, err := net.Listen("tcp", net.JoinHostPort(in.host, "0"))
		if err != nil {
			f.t.Fatalf("finding a free port at %s: %v", in.host, err)
		}
		defer listener.Close()
		return listener.Addr().(*net.TCPAddr).Port
	}
	port, bus := free(), free()
	f.lock.Lock()
	defer f.lock.Unlock()
	in.port, in.bus = port, bus
}

// answer is GET /v1/apps/{org}/{space}/{name}/instances, as the cells of the
// instances answer it.
func (f *Fleet) answer(w http.ResponseWriter, r *http.Request) {
	if f.Mute.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+token {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if r.URL.Path != fmt.Sprintf("/v1/apps/%s/instances", App) {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	f.lock.Lock()
	defer f.lock.Unlock()
	views := []client.InstanceView{}
	for _, in := range f.instances {
		views = append(views, client.InstanceView{
			Index: in.index, CellID: in.cell, AZ: in.az, Address: in.host,
			Ports: []client.Port{{Name: "redis", Number: in.port}, {Name: "bus", Number: in.bus}},
		})
	}
	_ = json.NewEncoder(w).Encode(views)
}

// environment is what Mooring would give an instance.
func (f *Fleet) environment(in *instance) []string {
	return append(os.Environ(), asNode+"=1",
		"CF_INSTANCE_INDEX="+strconv.Itoa(in.index), "CF_INSTANCE_IP="+in.host,
		"PORT="+strconv.Itoa(in.port), "PORT_BUS="+strconv.Itoa(in.bus),
		"MOORING_APP="+App.String(), "MOORING_API="+f.api.URL, "MOORING_TOKEN="+token, "MOORING_VOLUME_REDIS_DATA="+in.dir)
}

// Start runs instances, and runs each again 100 ms after it died.
func (f *Fleet) Start(indexes ...int) {
	f.t.Helper()
	for _, index := range indexes {
		f.lock.Lock()
		f.instances[index].wanted = true
		err := f.run(f.instances[index])
		f.lock.Unlock()
		if err != nil {
			f.t.Fatalf("starting instance %d: %v", index, err)
		}
	}
}

// StartAll runs every instance and waits until all are healthy.
func (f *Fleet) StartAll() {
	f.t.Helper()
	for index := range f.instances {
		f.Start(index)
	}
	f.WaitHealthy()
}

// run starts the process of an instance. The lock must be held.
func (f *Fleet) run(in *instance) error {
	command := exec.Command(os.Args[0], "run")
	command.Env, command.Stdout, command.Stderr = f.environment(in), in.output, in.output
	if err := command.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	in.process, in.ended = command.Process, ended
	go func() {
		err := command.Wait()
		fmt.Fprintf(in.output, "the launcher ended: %v\n", err)
		close(ended)
		time.Sleep(100 * time.Millisecond)
		f.lock.Lock()
		defer f.lock.Unlock()
		if in.wanted && in.ended == ended {
			if err := f.run(in); err != nil {
				fmt.Fprintf(in.output, "starting it again: %v\n", err)
			}
		}
	}()
	return nil
}

// Stop ends an instance in good order, as the platform does: TERM, then wait.
func (f *Fleet) Stop(index int) {
	f.t.Helper()
	f.lock.Lock()
	in := f.instances[index]
	in.wanted = false
	process, ended := in.process, in.ended
	f.lock.Unlock()
	_ = process.Signal(syscall.SIGTERM)
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		f.t.Fatalf("instance %d did not stop within 20s of TERM", index)
	}
}

// KillLauncher kills redis-node of an instance with -9, and returns when it
// is dead.
func (f *Fleet) KillLauncher(index int) {
	f.lock.Lock()
	process, ended := f.instances[index].process, f.instances[index].ended
	f.lock.Unlock()
	_ = process.Kill()
	<-ended
}

// KillServer kills redis-server of an instance with -9, and returns when its
// launcher has ended too. It does nothing when the server is not running.
func (f *Fleet) KillServer(index int) {
	f.t.Helper()
	f.lock.Lock()
	pid, ended := f.instances[index].process.Pid, f.instances[index].ended
	f.lock.Unlock()
	var children []byte
	for _, thread := range threads(pid) {
		more, _ := os.ReadFile(thread)
		children = append(append(children, ' '), more...)
	}
	fields := bytes.Fields(children)
	if len(fields) == 0 {
		return
	}
	server, err := strconv.Atoi(string(fields[0]))
	if err != nil {
		f.t.Fatalf("finding the server of instance %d: its launcher has the children %q", index, children)
	}
	_ = syscall.Kill(server, syscall.SIGKILL)
	<-ended
}

// threads lists the files that name the children of a process.
func threads(pid int) []string {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	return files
}

// Handler runs "redis-node NAME" for an instance as its cell would, and gives
// what it printed.
func (f *Fleet) Handler(ctx context.Context, index int, name string) (string, error) {
	f.lock.Lock()
	environment := f.environment(f.instances[index])
	f.lock.Unlock()
	command := exec.CommandContext(ctx, os.Args[0], name)
	var stdout, stderr bytes.Buffer
	command.Env, command.Stdout, command.Stderr = environment, &stdout, &stderr
	if err := command.Run(); err != nil {
		return stdout.String(), fmt.Errorf("%s of instance %d: %w: %s%s", name, index, err, stdout.String(), stderr.String())
	}
	return stdout.String(), nil
}

// Move gives a stopped instance another address.
func (f *Fleet) Move(index int) {
	f.lock.Lock()
	f.moves++
	f.instances[index].host = fmt.Sprintf("%s.%d", f.network, 10+f.moves)
	f.lock.Unlock()
	f.newPorts(index)
}

// Replace gives a stopped instance an empty volume on another address.
func (f *Fleet) Replace(index int) {
	f.Move(index)
	f.lock.Lock()
	defer f.lock.Unlock()
	f.instances[index].dir = f.t.TempDir()
}

// Address is host:port of an instance.
func (f *Fleet) Address(index int) string { return f.Addresses()[index] }

// Addresses gives host:port of every instance.
func (f *Fleet) Addresses() map[int]string {
	f.lock.Lock()
	defer f.lock.Unlock()
	addresses := map[int]string{}
	for _, in := range f.instances {
		addresses[in.index] = net.JoinHostPort(in.host, strconv.Itoa(in.port))
	}
	return addresses
}

// WaitHealthy waits until these instances, or all, are healthy as their own
// health check says.
func (f *Fleet) WaitHealthy(indexes ...int) {
	f.t.Helper()
	if len(indexes) == 0 {
		for index := range f.instances {
			indexes = append(indexes, index)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	for _, index := range indexes {
		for {
			_, err := f.Handler(ctx, index, "health")
			if err == nil {
				break
			}
			if ctx.Err() != nil {
				f.t.Fatalf("instance %d did not become healthy within 60s: %v", index, err)
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
}

// log keeps what a process printed.
type log struct {
	lock  sync.Mutex
	bytes []byte
}

// Write implements io.Writer.
func (l *log) Write(p []byte) (int, error) {
	l.lock.Lock()
	defer l.lock.Unlock()
	l.bytes = append(l.bytes, p...)
	return len(p), nil
}

func (l *log) tail() string {
	l.lock.Lock()
	defer l.lock.Unlock()
	return string(l.bytes[max(0, len(l.bytes)-8000):])
}
