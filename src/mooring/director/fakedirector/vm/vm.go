package vm

import (
	"bufio"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

//go:embed enter.sh
var enterScript string

//go:embed bpm.rb
var bpmScript string

// user is that which jobs run as; ID and group ID are those of stemcells.
const user = 1000

// VM is one VM.
type VM struct {
	cloud *Cloud
	name  string
	dir   string
	init  *exec.Cmd // its PID is that of the VM's first process
	link  string    // this machine's end of its connection to the network
	ended chan struct{}
	jobs  []string // in the order of the manifest
}

// Create makes a VM for the instance of that name, such as cell-UUID, with an
// address of the network. disk is whether it has a persistent disk: that of the
// instance, which outlives the VM. There is one VM of a name at a time.
func (c *Cloud) Create(name, address string, disk bool) (*VM, error) {
	c.mu.Lock()
	_, taken := c.vms[name]
	hosts := c.hosts
	c.mu.Unlock()
	if taken {
		return nil, fmt.Errorf("making the VM %s: it is there", name)
	}
	dir, err := os.MkdirTemp(c.cfg.Dir, name[:min(len(name), 12)]+"-")
	if err != nil {
		return nil, err
	}
	vm := &VM{cloud: c, name: name, dir: dir, ended: make(chan struct{})}
	if err := errors.Join(vm.fill(disk), vm.writeHosts(hosts)); err != nil {
		return nil, fmt.Errorf("making the VM %s: %w", name, err)
	}
	if err := vm.boot(address); err != nil {
		return nil, fmt.Errorf("booting the VM %s: %w", name, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.vms[name] = vm
	return vm, errors.Join(vm.writeHosts(c.hosts))
}

// fill lays out what the VM finds on its disks and in /etc.
func (vm *VM) fill(disk bool) error {
	for _, sub := range []string{"vcap/store", "vcap/data/tmp", "vcap/sys/run", "vcap/sys/log", "vcap/jobs", "vcap/packages", "vcap/bosh", "vcap/monit/job", "packages", "etc", "local/upper", "local/work"} {
		if err := os.MkdirAll(filepath.Join(vm.dir, sub), 0o755); err != nil {
			return err
		}
	}
	if err := os.Chmod(vm.dir, 0o755); err != nil { // user vcap passes through
		return err
	}
	if disk {
		if err := os.MkdirAll(vm.cloud.disk(vm.name), 0o755); err != nil {
			return err
		}
		if err := os.Symlink(vm.cloud.disk(vm.name), filepath.Join(vm.dir, "store")); err != nil {
			return err
		}
	}
	for name, from := range vm.cloud.cfg.Packages {
		if err := os.Symlink(from, filepath.Join(vm.dir, "packages", name)); err != nil {
			return err
		}
	}
	settings := fmt.Sprintf("{\"agent_id\": %q, \"vm\": {\"name\": %q}}\n", filepath.Base(vm.dir), vm.name)
	files := map[string]string{
		"vcap/bosh/settings.json": settings,
		"etc/resolv.conf":         "nameserver 127.0.0.1\n",
	}
	for file, line := range map[string]string{
		"passwd": fmt.Sprintf("vcap:x:%d:%[1]d::/home/vcap:/bin/bash\n", user),
		"group":  fmt.Sprintf("vcap:x:%d:\n", user),
	} {
		host, err := os.ReadFile("/etc/" + file)
		if err != nil {
			return err
		}
		var kept []string
		for entry := range strings.Lines(string(host)) {
			if fields := strings.Split(entry, ":"); len(fields) > 2 && fields[0] != "vcap" && fields[2] != strconv.Itoa(user) {
				kept = append(kept, entry)
			}
		}
		files["etc/"+file] = strings.Join(kept, "") + line
	}
	for path, content := range files {
		if err := os.WriteFile(filepath.Join(vm.dir, path), []byte(content), 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(vm.dir, "enter.sh"), []byte(enterScript), 0o755)
}

// writeHosts rewrites the file in place: it is mounted.
func (vm *VM) writeHosts(hosts string) error {
	return os.WriteFile(filepath.Join(vm.dir, "etc", "hosts"), []byte(hosts), 0o644)
}

// boot starts the VM's first process and connects the VM to the network.
func (vm *VM) boot(address string) error {
	ready, said, err := os.Pipe()
	if err != nil {
		return err
	}
	defer ready.Close()
	log, err := os.Create(filepath.Join(vm.dir, "boot.log"))
	if err != nil {
		return err
	}
	defer log.Close()
	vm.init = exec.Command("bash", filepath.Join(vm.dir, "enter.sh"), vm.dir, vm.name[:min(len(vm.name), 60)])
	vm.init.ExtraFiles = []*os.File{said}
	vm.init.Stdout, vm.init.Stderr = log, log
	vm.init.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
		Pdeathsig:  syscall.SIGKILL,
		Setsid:     true,
	}
	err = vm.init.Start()
	said.Close()
	if err != nil {
		return err
	}
	go func() {
		_ = vm.init.Wait()
		close(vm.ended)
	}()
	if _, err := bufio.NewReader(ready).ReadString('\n'); err != nil {
		text, _ := os.ReadFile(log.Name())
		return errors.Join(fmt.Errorf("its first process ended: %s", text), vm.kill())
	}
	if err := vm.connect(address); err != nil {
		return errors.Join(err, vm.kill())
	}
	return nil
}

// connect returns the VM its address. The link's own address follows from it, so
// that neighbours find the next VM of the instance at once.
func (vm *VM) connect(address string) error {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return err
	}
	four := ip.As4()
	pid := strconv.Itoa(vm.init.Process.Pid)
	vm.link = fmt.Sprintf("mv%d.%d.%d", four[1], four[2], four[3])
	inside := func(args ...string) error {
		return command("nsenter", append([]string{"-t", pid, "-n", "ip"}, args...)...)
	}
	for _, step := range []func() error{
		func() error {
			return command("ip", "link", "add", vm.link, "type", "veth", "peer", "name", "eth0", "address", linkAddress(ip), "netns", pid)
		},
		func() error { return command("ip", "link", "set", vm.link, "master", vm.cloud.bridge, "up") },
		func() error { return inside("link", "set", "lo", "up") },
		func() error {
			return inside("addr", "add", fmt.Sprintf("%s/%d", address, vm.cloud.prefix.Bits()), "dev", "eth0")
		},
		func() error { return inside("link", "set", "eth0", "up") },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// Delete ends the VM at once, with everything in it. Its persistent disk stays.
func (vm *VM) Delete() error {
	err := vm.kill()
	vm.cloud.mu.Lock()
	defer vm.cloud.mu.Unlock()
	delete(vm.cloud.vms, vm.name)
	return err
}

func (vm *VM) kill() error {
	if err := vm.init.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-vm.ended
	if vm.link == "" {
		return nil
	}
	// It goes with the VM's network, but not at once, and the next VM of the
	// instance has one of the same name.
	_ = command("ip", "link", "del", vm.link)
	return nil
}

// Path returns where a file of the VM's /var/vcap is on this machine.
func (vm *VM) Path(path string) string {
	if rest, store := strings.CutPrefix(path, "store/"); store {
		return filepath.Join(vm.dir, "store", rest)
	}
	return filepath.Join(vm.dir, "vcap", path)
}

// Command returns a command in the VM, as root.
func (vm *VM) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	limit := strconv.FormatUint(vm.cloud.cfg.OpenFiles, 10)
	cmd := exec.CommandContext(ctx, "nsenter", append([]string{"-t", strconv.Itoa(vm.init.Process.Pid), "-m", "-p", "-n", "-u", "-i",
		"setpriv", "--bounding-set", "-sys_resource", "--inh-caps", "-sys_resource", "prlimit", "--nofile=" + limit + ":" + limit, name}, args...)...)
	cmd.Env = []string{"PATH=/usr/local/bin:/usr/local/sbin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME=/root", "LANG=C.UTF-8"}
	cmd.Dir = "/"
	// What is asked to end is what runs in the VM, too.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return unix.Kill(-cmd.Process.Pid, unix.SIGKILL) }
	return cmd
}

// output runs a command in the VM and returns what it printed.
func (vm *VM) output(ctx context.Context, name string, args ...string) (string, error) {
	// A pipe would be held open by daemons that the command starts.
	file, err := os.CreateTemp(vm.dir, "output-")
	if err != nil {
		return "", err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	cmd := vm.Command(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = file, file
	failed := cmd.Run()
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	text, err := io.ReadAll(file)
	return string(text), errors.Join(failed, err)
}
