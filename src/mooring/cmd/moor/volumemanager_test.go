package main

import (
	"testing"

	. "github.com/onsi/gomega"

	"mooring/model"
	"mooring/volume"
)

func TestClassesOnTheCommandLine(t *testing.T) {
	g := NewWithT(t)
	// As the flag library hands them over: split at every comma.
	texts := classTexts([]string{
		"name=persistent", "root=/data", "capacity=10G", "survives=recreate",
		"name=shared", "root=/mnt", "capacity=1T", "survives=retire", "floating",
	})
	g.Expect(texts).To(HaveLen(2))
	class, err := parseClass(texts[0])
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(class).To(Equal(volume.Class{
		Class: model.Class{Name: "persistent", Survives: model.Recreate, Capacity: 10 * model.Gigabyte}, Root: "/data"}))
	class, err = parseClass(texts[1])
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(class.Floating).To(BeTrue())
}

func TestClassesThatMakeNoSense(t *testing.T) {
	for text, complaint := range map[string]string{
		"name=x":                             "needs a name and a root directory",
		"root=/data,survives=reboot":         "needs a name and a root directory",
		"name=x,root=/data":                  "it is one of restart, reboot, recreate and retire",
		"name=x,root=/data,survives=burning": `survives is "burning"`,
		"name=x,root=/data,capacity=ten":     "capacity",
		"name=x,colour=red":                  `"colour" is not one of name, root, capacity, survives and floating`,
		"name=X Y,root=/data":                "is not a name",
	} {
		_, err := parseClass(text)
		if complaint == "capacity" {
			complaint = "is not an amount such as 256M or 1G"
		}
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring(complaint)), text)
	}
}
