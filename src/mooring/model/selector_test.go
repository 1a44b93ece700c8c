package model

import (
	"testing"

	. "github.com/onsi/gomega"
)

func TestASelectorChooses(t *testing.T) {
	cells := []*Cell{
		{ID: "a", AZ: "z1"},
		{ID: "b", AZ: "z1", Pool: "gold"},
		{ID: "c", AZ: "z2", Pool: DefaultPool},
		{ID: "d", AZ: "z2", Lost: true},
	}
	for text, test := range map[string]struct {
		selector Selector
		ids      []string
		err      string
	}{
		"all":                      {Selector{All: true}, []string{"a", "b", "c"}, ""},
		"an AZ":                    {Selector{AZ: []string{"z2"}}, []string{"c"}, ""},
		"the default pool":         {Selector{Pool: DefaultPool}, []string{"a", "c"}, ""},
		"names":                    {Selector{IDs: []string{"c", "a"}}, []string{"a", "c"}, ""},
		"names that are not there": {Selector{IDs: []string{"x", "a", "y"}}, nil, "there is no cell x, y; see the cells with: moor cells"},
		"a cell that is lost":      {Selector{IDs: []string{"d"}}, nil, "cell d was declared lost; leave it out"},
		"nothing":                  {Selector{Pool: "gold", AZ: []string{"z2", "z9"}}, nil, "no cell is chosen by pool gold, AZ z2 or z9; see the cells with: moor cells"},
	} {
		t.Run(text, func(t *testing.T) {
			g := NewWithT(t)
			chosen, err := test.selector.Choose(cells)
			if test.err != "" {
				g.Expect(err).To(MatchError(test.err))
				return
			}
			g.Expect(err).NotTo(HaveOccurred())
			var ids []string
			for _, cell := range chosen {
				ids = append(ids, cell.ID)
			}
			g.Expect(ids).To(Equal(test.ids))
		})
	}
}
