package boot

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	. "github.com/onsi/gomega"
)

// printMark has the test's binary print which boot it is, and end.
const printMark = "MOORING_TEST_PRINT_BOOT"

func TestMain(m *testing.M) {
	if os.Getenv(printMark) != "" {
		id, err := ID()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(id)
		return
	}
	os.Exit(m.Run())
}

// vm is what there is to read on a VM; "" is not there.
type vm struct{ kernel, namespace, init, settings, tmpfs string }

// aVM is one that BOSH made.
func aVM() vm {
	return vm{kernel: "75dd9322-3230-4b41-832c-279b98fe5fdf\n", namespace: "pid:[4026531836]", init: started(24), settings: `{"agent_id":"a-1","networks":{}}`}
}

// started is what the kernel says of a PID 1 with a nasty name.
func started(ticks int) string {
	return fmt.Sprintf("1 (a) S 9 9 (b) S 0 0 0 0 -1 4194560 54104 389303 0 159 94 329 731 728 10 -10 13 0 %d 45719552 3658\n", ticks)
}

// root makes the file system of the VM.
func (v vm) root(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for path, text := range map[string]string{kernelFile: v.kernel, initFile: v.init, settingsFiles[1]: v.settings, settingsFiles[0]: v.tmpfs} {
		if text == "" {
			continue
		}
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if v.namespace != "" {
		path := filepath.Join(root, namespaceFile)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(v.namespace, path); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// with is the VM with something of it changed.
func with(change func(*vm)) vm {
	v := aVM()
	change(&v)
	return v
}

func TestID_IsTheSameWithinABoot(t *testing.T) {
	g := NewWithT(t)
	first, err := idUnder(aVM().root(t))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(first).To(MatchRegexp(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`))
	g.Expect(idUnder(aVM().root(t))).To(Equal(first))
	g.Expect(idUnder(with(func(v *vm) { v.settings = `{"agent_id":"a-1","networks":{"default":{}}}` }).root(t))).To(Equal(first), "other settings may change at any time")
	g.Expect(idUnder(with(func(v *vm) { v.settings, v.tmpfs = "", v.settings }).root(t))).To(Equal(first), "wherever the settings are")
}

func TestID_ChangesWithWhateverABootChanges(t *testing.T) {
	seen := map[string]string{}
	for name, v := range map[string]vm{
		"the VM":                        aVM(),
		"a host that was rebooted":      with(func(v *vm) { v.kernel = "0a1b2c3d-3230-4b41-832c-279b98fe5fdf\n" }),
		"a container that was started":  with(func(v *vm) { v.init = started(36972) }),
		"one beside it":                 with(func(v *vm) { v.namespace = "pid:[4026532178]" }),
		"a VM that was made anew":       with(func(v *vm) { v.settings = `{"agent_id":"a-2"}` }),
		"one with settings on a tmpfs":  with(func(v *vm) { v.tmpfs = `{"agent_id":"a-3"}` }),
		"what is no VM of BOSH":         with(func(v *vm) { v.settings = "" }),
		"where PID 1 is hidden":         with(func(v *vm) { v.init = "" }),
		"where there are no namespaces": with(func(v *vm) { v.namespace = "" }),
		"where the kernel says no more": {kernel: aVM().kernel},
	} {
		id, err := idUnder(v.root(t))
		g := NewWithT(t)
		g.Expect(err).NotTo(HaveOccurred(), name)
		g.Expect(seen[id]).To(BeEmpty(), "%s is told from all others", name)
		seen[id] = name
	}
}

func TestID_SaysWhatCannotBeRead(t *testing.T) {
	for says, v := range map[string]vm{
		"is /proc mounted?":                               with(func(v *vm) { v.kernel = "" }),
		"boot_id is empty":                                with(func(v *vm) { v.kernel = "\n" }),
		"reading when PID 1 started":                      with(func(v *vm) { v.init = "1 (init) S 0\n" }),
		"from /var/vcap/bosh/settings.json: unexpected":   with(func(v *vm) { v.settings = `{"agent_id":"a-` }),
		"from /var/vcap/bosh/settings/settings.json: une": with(func(v *vm) { v.tmpfs = `{` }),
	} {
		_, err := idUnder(v.root(t))
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring(says)))
	}
}

// prints has a shell be PID 1 of a VM that shares this kernel, which asks twice
// which boot it is, as an agent that is restarted there does.
func prints(t *testing.T, user ...string) []string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	args := append([]string{"--pid", "--fork", "--mount-proc", "sh", "-c", `"$@" && "$@"; exit $?`, "sh"}, append(user, self)...)
	cmd := exec.Command("unshare", args...)
	cmd.Env = append(os.Environ(), printMark+"=1")
	output, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, output)
	}
	return strings.Fields(string(output))
}

func TestID_TellsVMsThatShareAKernel(t *testing.T) {
	if output, err := exec.Command("unshare", "--pid", "--fork", "--mount-proc", "true").CombinedOutput(); err != nil {
		t.Skipf("two VMs on one kernel take unshare, and root who may make PID namespaces: %v: %s", err, output)
	}
	g := NewWithT(t)
	here, err := ID()
	g.Expect(err).NotTo(HaveOccurred())
	seen := map[string]bool{here: true}
	for range 3 { // each is made once the one before is gone
		ids := prints(t)
		g.Expect(ids).To(HaveExactElements(ids[0], ids[0]), "an agent that was restarted is in the same boot")
		g.Expect(seen).NotTo(HaveKey(ids[0]), "a VM that was made anew is in another one")
		seen[ids[0]] = true
	}
}

func TestID_NeedsNoRoot(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("it is run without root already")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	g := NewWithT(t)
	// The binary of a test is in a directory of its owner's alone.
	dir, err := os.MkdirTemp("", "boot-")
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	g.Expect(os.Chmod(dir, 0o755)).To(Succeed())
	program := filepath.Join(dir, "boot.test")
	content, err := os.ReadFile(self)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(os.WriteFile(program, content, 0o755)).To(Succeed())
	asNobody := func() string {
		cmd := exec.Command(program)
		cmd.Env, cmd.Dir = append(os.Environ(), printMark+"=1"), "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		output, err := cmd.CombinedOutput()
		g.Expect(err).NotTo(HaveOccurred(), string(output))
		return strings.TrimSpace(string(output))
	}
	g.Expect(asNobody()).To(Equal(asNobody()))
}
