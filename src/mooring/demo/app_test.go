package demo

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"mooring/kits/redis"
	"mooring/manifest"
	"mooring/model"
)

func TestTheKitsManifestIsPushedWithAnotherHandlerAndShorterTimes(t *testing.T) {
	g := NewWithT(t)
	here := model.Name{Org: "default", Space: "default"}
	kit, err := manifest.ParseApps("manifest.yml", redis.Manifest(), here)
	g.Expect(err).NotTo(HaveOccurred(), "the kit's own manifest is a good one")
	text, err := shortened(redis.Manifest(), "hang.sh /tmp/x")
	g.Expect(err).NotTo(HaveOccurred())
	changed, err := manifest.ParseApps("app.yml", text, here)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(changed).To(HaveLen(1))
	g.Expect(changed[0].Instances).To(Equal(cellsTotal))
	g.Expect(changed[0].Policy.Interrupt.Command).To(Equal("hang.sh /tmp/x"))
	g.Expect(changed[0].Policy.Interrupt.ProgressTimeout).To(Equal(model.Duration(progressTimeout)))
	g.Expect(changed[0].Policy.HealthyFor).To(Equal(model.Duration(healthyFor)))
	// Nothing else is different.
	changed[0].Policy.Interrupt, changed[0].Policy.HealthyFor = kit[0].Policy.Interrupt, kit[0].Policy.HealthyFor
	g.Expect(changed[0]).To(Equal(kit[0]))
}

func TestTheHandlerHangsOnlyWhereItIsMarked(t *testing.T) {
	g := NewWithT(t)
	f := files{t.TempDir()}
	g.Expect(f.write()).To(Succeed())
	bin := t.TempDir()
	g.Expect(os.WriteFile(filepath.Join(bin, "redis-node"), []byte("#!/bin/sh\necho \"the kit's $1\"\n"), 0o755)).To(Succeed())
	begun := func(index string) (*exec.Cmd, *bytes.Buffer) {
		command := exec.Command(filepath.Join(f.dir, "hang.sh"), f.dir)
		var out bytes.Buffer
		command.Stdout = &out
		command.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "CF_INSTANCE_INDEX="+index)
		g.Expect(command.Start()).To(Succeed())
		return command, &out
	}
	g.Expect(f.hang(3)).To(Succeed())
	_, err := f.hungSince(3)
	g.Expect(err).To(HaveOccurred())

	before := time.Now()
	hanging, _ := begun("3")
	g.Eventually(func() error { _, err := f.hungSince(3); return err }).WithTimeout(10 * time.Second).Should(Succeed())
	since, err := f.hungSince(3)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(since).To(BeTemporally("~", before, 10*time.Second))
	g.Expect(hanging.Process.Kill()).To(Succeed())
	g.Expect(hanging.Wait()).NotTo(Succeed())

	other, out := begun("2")
	g.Expect(other.Wait()).To(Succeed())
	g.Expect(out.String()).To(Equal("the kit's interrupt\n"))

	g.Expect(f.mend(3)).To(Succeed())
	mended, out := begun("3")
	g.Expect(mended.Wait()).To(Succeed())
	g.Expect(out.String()).To(Equal("the kit's interrupt\n"))
}
