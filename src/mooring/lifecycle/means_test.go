package lifecycle_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"mooring/lifecycle"
	"mooring/model"
)

var (
	persistent = model.Class{Name: "persistent", Survives: model.Recreate}
	ephemeral  = model.Class{Name: "ephemeral", Survives: model.Reboot}
	shared     = model.Class{Name: "shared", Floating: true, Survives: model.Retire}
)

func TestMeansIsTheMatrixOfTheContract(t *testing.T) {
	stay := lifecycle.Meaning{Kind: model.Interrupt}
	move := lifecycle.Meaning{Kind: model.Interrupt, Move: true}
	drain := lifecycle.Meaning{Kind: model.Drain}
	replace := lifecycle.Meaning{Kind: model.Interrupt, Replace: true}

	actions := []model.Action{model.Restart, model.Reboot, model.Recreate, model.Retire}
	for _, row := range []struct {
		name    string
		classes []model.Class
		policy  model.Policy
		want    [4]lifecycle.Meaning
	}{
		{"persistent disk", []model.Class{persistent}, model.Policy{}, [4]lifecycle.Meaning{stay, stay, stay, drain}},
		{"ephemeral disk", []model.Class{ephemeral}, model.Policy{}, [4]lifecycle.Meaning{stay, stay, drain, drain}},
		{"floating", []model.Class{shared}, model.Policy{}, [4]lifecycle.Meaning{move, move, move, move}},
		{"floating that may stay", []model.Class{shared}, model.Policy{Floating: model.FloatingStay}, [4]lifecycle.Meaning{stay, stay, stay, stay}},
		{"no volume", nil, model.Policy{}, [4]lifecycle.Meaning{replace, replace, replace, replace}},
		{"the worst of two decides", []model.Class{persistent, ephemeral}, model.Policy{}, [4]lifecycle.Meaning{stay, stay, drain, drain}},
		{"a fixed volume pins a floating one", []model.Class{shared, persistent}, model.Policy{}, [4]lifecycle.Meaning{stay, stay, stay, drain}},
		{"disposable data still goes by a drain", []model.Class{ephemeral}, model.Policy{DataDisposable: true}, [4]lifecycle.Meaning{stay, stay, drain, drain}},
	} {
		t.Run(row.name, func(t *testing.T) {
			g := NewWithT(t)
			for i, action := range actions {
				g.Expect(lifecycle.Means(action, row.classes, &row.policy)).To(Equal(row.want[i]), string(action))
			}
		})
	}
}
