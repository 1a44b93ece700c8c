package access

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"mooring/model"
)

func actor(t testing.TB, roles ...string) *Actor {
	t.Helper()
	a := &Actor{Name: "olga"}
	for _, text := range roles {
		role, err := ParseRole(text)
		if err != nil {
			t.Fatal(err)
		}
		a.Roles = append(a.Roles, role)
	}
	return a
}

func name(text string) model.Name {
	parsed, err := model.ParseName(text, model.Name{})
	if err != nil {
		panic(err)
	}
	return parsed
}

func stuckAbout(app string, verb model.Verb) Object {
	item := &model.Stuck{ID: "s1", CellID: "c1"}
	if app != "" {
		of := name(app)
		item.App = &of
	}
	return Stuck(item, verb)
}

// The table of who may do what: one line for each right, the roles that have it
// and those that have not.
func TestWhoMayDoWhat(t *testing.T) {
	mine, others := App(name("acme/prod/redis")), App(name("acme/test/redis"))
	const here, org = "developer:acme/prod", "developer:acme"
	for _, row := range []struct {
		right Right
		on    Object
		may   string
	}{
		{Look, Thing("cells"), "operator auditor " + here + " " + org},
		{Watch, Thing("plan kernel"), "operator auditor cell cell:c1 cell:c2 " + here + " " + org},
		{ReadLogs, mine, "operator auditor " + here + " " + org},
		{ReadLogs, others, "operator auditor " + org},
		{ReadEnv, mine, "operator " + here + " " + org},
		{ReadEnv, others, "operator " + org},
		{Change, mine, "operator " + here + " " + org},
		{Change, others, "operator " + org},
		{Change, VolumeSet(name("other/prod/redis")), "operator"},
		{Change, Somewhere("volume sets"), "operator " + here + " " + org},
		{Plan, Thing("plan kernel"), "operator"},
		{Answer, Somewhere("what is stuck"), "operator " + here + " " + org},
		{Answer, stuckAbout("acme/prod/redis", model.Wait), "operator " + here + " " + org},
		{Answer, stuckAbout("acme/prod/redis", model.Retry), "operator " + here + " " + org},
		{Answer, stuckAbout("acme/prod/redis", model.Force), "operator " + here + " " + org},
		{Answer, stuckAbout("acme/prod/redis", model.Skip), "operator"},
		{Answer, stuckAbout("acme/prod/redis", model.Lost), "operator"},
		{Answer, stuckAbout("acme/test/redis", model.Wait), "operator " + org},
		{Answer, stuckAbout("", model.Wait), "operator"},
		{Speak, OnCell("c1"), "cell cell:c1"},
		{Gate, OnCell("c1"), "operator cell cell:c1"},
		{Scrape, Thing("the metrics"), "operator auditor scraper"},
	} {
		for _, role := range []string{"operator", here, org, "auditor", "cell", "cell:c1", "cell:c2", "scraper"} {
			t.Run(fmt.Sprintf("%s %s %s", role, row.right, row.on.What), func(t *testing.T) {
				g := NewWithT(t)
				err := May(actor(t, role), row.right, row.on)
				if strings.Contains(" "+row.may+" ", " "+role+" ") {
					g.Expect(err).NotTo(HaveOccurred())
				} else {
					g.Expect(err).To(BeAssignableToTypeOf(&Denied{}))
				}
			})
		}
	}
}

func TestARefusalSaysWhoLacksWhatAndWhoHasIt(t *testing.T) {
	g := NewWithT(t)
	g.Expect(May(actor(t, "developer:acme/prod"), Change, App(name("acme/test/web")))).To(MatchError(
		"olga (developer:acme/prod) may not change app acme/test/web: that takes one of the roles operator, developer:acme/test"))
	g.Expect(May(actor(t, "developer:acme"), Plan, Thing("plan kernel"))).To(MatchError(
		"olga (developer:acme) may not start or steer plan kernel: that takes the role operator"))
	g.Expect(May(actor(t), Look, Thing("cells"))).To(MatchError(
		"olga (no role) may not look at cells: that takes one of the roles operator, developer:ORG/SPACE, auditor"))
	g.Expect(May(actor(t, "cell:c2"), Speak, OnCell("c1"))).To(MatchError(
		"olga (cell:c2) may not speak as cell c1: that takes the role cell:c1"))
}

var anyRole = rapid.Custom(func(t *rapid.T) Role {
	word := rapid.StringMatching(`[a-z]{1,3}`)
	switch kind := rapid.SampledFrom([]Kind{Operator, Developer, Auditor, Cell, Scraper}).Draw(t, "kind"); kind {
	case Developer:
		return Role{Kind: kind, Org: word.Draw(t, "org"), Space: rapid.OneOf(rapid.Just(""), word).Draw(t, "space")}
	case Cell:
		return Role{Kind: kind, CellID: rapid.OneOf(rapid.Just(""), word).Draw(t, "cell")}
	default:
		return Role{Kind: kind}
	}
})

var anyObject = rapid.Custom(func(t *rapid.T) Object {
	word := rapid.StringMatching(`[a-z]{1,3}`)
	return Object{What: "it", Org: word.Draw(t, "org"), Space: word.Draw(t, "space"), CellID: word.Draw(t, "cell"),
		Verb: rapid.SampledFrom([]model.Verb{"", model.Wait, model.Retry, model.Force, model.Skip, model.Lost}).Draw(t, "verb")}
})

var anyRight = rapid.SampledFrom([]Right{Look, ReadLogs, ReadEnv, Change, Plan, Answer, Speak, Gate, Watch, Scrape})

// Roles add up: what one role gives, no other takes away, and nobody has what
// none of the roles gives.
func TestRolesAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		roles := rapid.SliceOfN(anyRole, 0, 4).Draw(t, "roles")
		right, on := anyRight.Draw(t, "right"), anyObject.Draw(t, "object")
		one := false
		for _, role := range roles {
			one = one || May(&Actor{Roles: []Role{role}}, right, on) == nil
		}
		if all := May(&Actor{Roles: roles}, right, on) == nil; all != one {
			t.Fatalf("together %v, one of them %v", all, one)
		}
	})
}

// A refusal names roles that have the right indeed.
func TestTheRolesThatARefusalNamesHaveTheRight(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		right, on := anyRight.Draw(t, "right"), anyObject.Draw(t, "object")
		var denied *Denied
		if !errors.As(May(&Actor{Name: "olga"}, right, on), &denied) {
			t.Fatal("without a role nothing is allowed")
		}
		_, list, _ := strings.Cut(denied.Takes, "role")
		for text := range strings.SplitSeq(strings.TrimPrefix(list, "s"), ",") {
			role, err := ParseRole(strings.TrimSpace(text))
			if err != nil {
				t.Fatalf("%q: %v", denied.Takes, err)
			}
			if err := May(&Actor{Roles: []Role{role}}, right, on); err != nil {
				t.Fatalf("%q: %v", denied.Takes, err)
			}
		}
	})
}

func TestRolesAreReadAsTheyAreWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		role := anyRole.Draw(t, "role")
		if read, err := ParseRole(role.String()); err != nil || read != role {
			t.Fatalf("%v read as %v, %v", role, read, err)
		}
	})
	for text, complaint := range map[string]string{
		"admin":                 "is no role; use operator",
		"":                      "is no role",
		"operator:acme":         "write operator alone",
		"developer":             "write developer:ORG or developer:ORG/SPACE",
		"developer:acme/":       "write developer:ORG or developer:ORG/SPACE",
		"developer:acme/prod/x": "write developer:ORG or developer:ORG/SPACE",
		"cell:":                 "write cell:ID, or cell for any cell",
	} {
		_, err := ParseRole(text)
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring(complaint)), text)
	}
}

func TestWhoActsIsKnownOrTheReasonIs(t *testing.T) {
	g := NewWithT(t)
	_, err := From(context.Background())
	g.Expect(err).To(MatchError(ErrNobody))
	_, err = From(With(context.Background(), nil))
	g.Expect(err).To(MatchError(ErrNobody))
	_, err = From(WithUnknown(context.Background(), errors.New("run out")))
	g.Expect(err).To(MatchError("run out"))
	g.Expect(From(With(context.Background(), actor(t, "auditor")))).To(HaveField("Name", "olga"))
}

func TestTheSystemsOwnNamesAreKept(t *testing.T) {
	for _, name := range []string{"gate", "orchestrator", "policy of acme/prod/redis"} {
		NewWithT(t).Expect(Reserved(name)).To(BeTrue(), name)
	}
	NewWithT(t).Expect(Reserved("olga")).To(BeFalse())
}
