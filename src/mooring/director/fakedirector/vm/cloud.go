package vm

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"mooring/director/fakedirector/deployment"
)

// Config says what VMs have in common.
type Config struct {
	// Dir is where the VMs' files are.
	Dir string
	// Packages are the compiled packages that VMs find under
	// /var/vcap/packages: the directory of each, by its name.
	Packages map[string]string
	// OpenFiles is the hard limit of open files in a VM; 0 means 4096.
	OpenFiles uint64
}

// Cloud makes VMs on one network of its own. It is safe for many goroutines.
type Cloud struct {
	cfg    Config
	bridge string
	prefix netip.Prefix

	mu    sync.Mutex
	vms   map[string]*VM // by name
	hosts string         // what /etc/hosts says in every VM
}

// Missing returns what VMs need and this machine does not have, or "".
func Missing() string {
	if os.Getuid() != 0 {
		return "VMs in namespaces need root"
	}
	for _, tool := range []string{"ip", "monit", "ruby", "setpriv", "nsenter", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			return tool + " is not installed; see scripts/install-dependencies"
		}
	}
	return ""
}

// networks is how many clouds one machine can have at a time.
const networks = 200

// NewCloud makes a network: a bridge with a /16 of its own. Close removes it.
func NewCloud(cfg Config) (*Cloud, error) {
	if cfg.OpenFiles == 0 {
		cfg.OpenFiles = 4096
	}
	unlock, err := lockNetworks()
	if err != nil {
		return nil, err
	}
	defer unlock()
	var refused error
	for n := range networks {
		c := &Cloud{cfg: cfg, bridge: fmt.Sprintf("moorbr%d", n), vms: map[string]*VM{}, hosts: localhost}
		c.prefix = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(50 + n), 0, 0}), 16)
		c.reclaim()
		// Whoever makes the link owns the network.
		if refused = command("ip", "link", "add", "name", c.bridge, "address", linkAddress(c.Host()), "type", "bridge"); refused != nil {
			continue
		}
		if err := errors.Join(command("ip", "link", "set", c.bridge, "alias", strconv.Itoa(os.Getpid())), command("ip", "addr", "add", fmt.Sprintf("%s/%d", c.Host(), c.prefix.Bits()), "dev", c.bridge), command("ip", "link", "set", c.bridge, "up")); err != nil {
			return nil, errors.Join(err, command("ip", "link", "del", c.bridge))
		}
		return c, nil
	}
	return nil, fmt.Errorf("making a network for VMs: %w", refused)
}

// linkAddress is the address on the link of an IP. A bridge without one of its
// own would change it with the VMs that come and go, and lose connections.
func linkAddress(ip netip.Addr) string {
	four := ip.As4()
	return fmt.Sprintf("02:00:%02x:%02x:%02x:%02x", four[0], four[1], four[2], four[3])
}

// lockNetworks keeps other processes from making a network, or taking one back,
// at the same time.
func lockNetworks() (unlock func(), err error) {
	file, err := os.OpenFile(filepath.Join(os.TempDir(), "moor-networks.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX); err != nil {
		file.Close()
		return nil, fmt.Errorf("locking %s: %w", file.Name(), err)
	}
	return func() { file.Close() }, nil
}

// reclaim removes the network where the process that made it was killed.
func (c *Cloud) reclaim() {
	alias, err := os.ReadFile(filepath.Join("/sys/class/net", c.bridge, "ifalias"))
	if err != nil {
		return // there is none
	}
	owner, err := strconv.Atoi(strings.TrimSpace(string(alias)))
	if err == nil && errors.Is(unix.Kill(owner, 0), unix.ESRCH) {
		_ = command("ip", "link", "del", c.bridge) // another may be faster
	}
}

// Prefix is the network that VMs have addresses in.
func (c *Cloud) Prefix() netip.Prefix { return c.prefix }

// Host is the address at which VMs reach this machine.
func (c *Cloud) Host() netip.Addr {
	host := c.prefix.Addr().As4()
	host[2], host[3] = 255, 254
	return netip.AddrFrom4(host)
}

// Close ends all VMs and removes the network. Disks stay in Dir.
func (c *Cloud) Close() error {
	var errs []error
	for _, vm := range c.all() {
		errs = append(errs, vm.Delete())
	}
	return errors.Join(append(errs, command("ip", "link", "del", c.bridge))...)
}

func (c *Cloud) all() []*VM {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []*VM
	for _, vm := range c.vms {
		all = append(all, vm)
	}
	return all
}

// localhost is what /etc/hosts always says.
const localhost = "127.0.0.1 localhost\n"

// Name tells every VM which names lead to which addresses, as BOSH DNS does.
func (c *Cloud) Name(addresses map[string][]string) error {
	hosts := strings.Builder{}
	hosts.WriteString(localhost)
	for name, all := range addresses {
		for _, address := range all {
			fmt.Fprintln(&hosts, address, name)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.hosts == hosts.String() {
		return nil
	}
	c.hosts = hosts.String()
	var errs []error
	for _, vm := range c.vms {
		errs = append(errs, vm.writeHosts(c.hosts))
	}
	return errors.Join(errs...)
}

// DeleteDisk returns up the persistent disk of an instance.
func (c *Cloud) DeleteDisk(name string) error { return os.RemoveAll(c.disk(name)) }

func (c *Cloud) disk(name string) string { return filepath.Join(c.cfg.Dir, "disks", name) }

// command runs a program and returns what it said when it failed.
func command(name string, args ...string) error {
	if output, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, output)
	}
	return nil
}

// Networks is the part of a cloud config that gives VMs their addresses: the
// network default, with a subnet for each AZ.
func (c *Cloud) Networks(azs []string) map[string]deployment.Network {
	network := deployment.Network{}
	for i, az := range azs {
		four := c.prefix.Addr().As4()
		four[2] = byte(i + 1)
		base := netip.AddrFrom4(four)
		network.Subnets = append(network.Subnets, deployment.Subnet{Range: base.String() + "/24", Gateway: base.Next().String(), AZs: []string{az}})
	}
	return map[string]deployment.Network{"default": network}
}
