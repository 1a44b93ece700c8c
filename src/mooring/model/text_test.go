package model_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	. "github.com/onsi/gomega"

	"mooring/model"
)

// acting are texts that act on what shows them.
var acting = map[string]string{
	"an escape sequence":          "\x1b[2Jgone",
	"a C1 control":                "\u009b2J",
	"a carriage return":           "all is well\rSTUCK",
	"a right-to-left override":    "cell-\u202e1-llec",
	"an isolate":                  "\u2066x\u2069",
	"a mark of direction":         "a\u200fb",
	"a line separator":            "a\u2028b",
	"a delete":                    "a\x7f",
	"a zero byte":                 "a\x00b",
	"bytes that are not in UTF-8": "a\xffb",
}

func TestPrintable_NothingActsOnWhatShowsIt(t *testing.T) {
	for name, text := range acting {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			shown := model.Printable(text)
			g.Expect(shown).NotTo(Equal(text))
			g.Expect(model.CheckText(shown, 100)).To(Succeed())
			g.Expect(model.Printable(shown)).To(Equal(shown), "showing it again changes nothing")
			g.Expect(model.CheckText(text, 100)).NotTo(Succeed())
			var decoded string
			g.Expect(json.Unmarshal([]byte(`"`+shown+`"`), &decoded)).To(Succeed(), "JSON stays JSON")
		})
	}
	g := NewWithT(t)
	g.Expect(model.Printable("Zoë's 日本 team 🚢, #storage")).To(Equal("Zoë's 日本 team 🚢, #storage"))
	g.Expect(model.Printable("a\nb\tc")).To(Equal(`a\nb\tc`))
	g.Expect(model.PrintableLines("a\nb\tc\x1b")).To(Equal("a\nb\tc\\u001b"))
	g.Expect(model.CheckText("a\nb", 100)).To(MatchError(ContainSubstring(`the control character \n at byte 1`)))
	g.Expect(model.CheckLines("a\nb\tc", 100)).To(Succeed())
	g.Expect(model.CheckText("abc", 2)).To(MatchError("has 3 bytes; write at most 2"))
}

func TestBoundLine_SaysWhatIsLeftOut(t *testing.T) {
	g := NewWithT(t)
	g.Expect(model.BoundLine("short")).To(Equal("short"))
	long := model.BoundLine(strings.Repeat("ä", 40_000))
	g.Expect(len(long)).To(BeNumerically("<=", model.MaxLine))
	g.Expect(utf8.ValidString(long)).To(BeTrue())
	g.Expect(long).To(HaveSuffix("bytes left out)"))
	hostile := model.BoundLine(strings.Repeat("\x1b", 40_000))
	g.Expect(len(hostile)).To(BeNumerically("<=", model.MaxLine), "escapes take room as well")
	g.Expect(model.BoundLine(hostile)).To(Equal(hostile))
}

func TestBoundTail_SaysWhatIsLeftOut(t *testing.T) {
	g := NewWithT(t)
	lines := []string{"one", "two"}
	g.Expect(model.BoundTail(lines)).To(Equal(lines))
	g.Expect(model.BoundTail(strings.Split(strings.Repeat("x ", 100), " "))).To(HaveLen(model.MaxTailLines))
	full := model.BoundTail(strings.SplitAfter(strings.Repeat(strings.Repeat("x", 5000)+"\n", 20), "\n")[:20])
	size := 0
	for _, line := range full {
		g.Expect(len(line)).To(BeNumerically("<=", model.MaxLine))
		size += len(line) + 1
	}
	g.Expect(size).To(BeNumerically("<=", model.MaxTail))
	g.Expect(full[0]).To(MatchRegexp(`^\(\d+ lines before this one are left out\)$`))
	g.Expect(model.BoundTail(full)).To(Equal(full))
}

func FuzzPrintable(f *testing.F) {
	for _, text := range acting {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		shown := model.BoundLine(text)
		if err := model.CheckText(shown, model.MaxLine); err != nil {
			t.Errorf("%q is shown as %q, which %v", text, shown, err)
		}
		if again := model.BoundLine(shown); again != shown {
			t.Errorf("%q becomes %q and then %q", text, shown, again)
		}
	})
}

func TestBoundError_KeepsWhy(t *testing.T) {
	g := NewWithT(t)
	long := "opening /" + strings.Repeat("ä", model.MaxLine) + ": file name too long"
	bounded := model.BoundError(long)
	g.Expect(len(bounded)).To(BeNumerically("<=", model.MaxLine))
	g.Expect(bounded).To(And(HavePrefix("opening /"), ContainSubstring("bytes left out)"), HaveSuffix(": file name too long")))
	g.Expect(model.BoundError(bounded)).To(Equal(bounded))
	g.Expect(utf8.ValidString(bounded)).To(BeTrue())
	g.Expect(model.BoundError("short")).To(Equal("short"))
}
