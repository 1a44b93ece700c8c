package model

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of texts, in bytes.
const (
	// MaxLine bounds one line of an instance's or a handler's output, and any
	// other text of one line that a cell reports.
	MaxLine = 2 << 10
	// MaxTail bounds the last lines of an instance's output together, and
	// MaxTailLines says how many there are.
	MaxTail      = 32 << 10
	MaxTailLines = 20
	// MaxText bounds one line that a person or a manifest writes. A reason and a
	// command may have several lines, and these bounds.
	MaxText    = 1 << 10
	MaxReason  = 4 << 10
	MaxCommand = 64 << 10
)

// controls reports whether a rune acts on what shows it instead of being
// shown: the controls of ASCII and of Latin-1, and the marks that turn the
// direction of the text around them or end a line.
func controls(r rune) bool {
	switch {
	case unicode.IsControl(r), r == utf8.RuneError:
		return true
	case r == '\u061c', r >= '\u200e' && r <= '\u200f': // marks of direction
		return true
	case r >= '\u2028' && r <= '\u202e', r >= '\u2066' && r <= '\u2069': // ends of lines, embeddings, overrides, isolates
		return true
	}
	return false
}

// Printable returns text as it may be shown on one line: what would act on a
// terminal or a page is written as an escape that JSON also knows, such as
// "\u001b". Every text is shown through it, whoever wrote it.
func Printable(text string) string { return escape(text, "") }

// PrintableLines is Printable for text of several lines, whose ends and tabs
// stay.
func PrintableLines(text string) string { return escape(text, "\n\t") }

func escape(text, kept string) string {
	acts := func(r rune) bool { return controls(r) && !strings.ContainsRune(kept, r) }
	first := strings.IndexFunc(text, acts)
	if first < 0 {
		return text
	}
	var out strings.Builder
	out.WriteString(text[:first])
	for _, r := range text[first:] {
		switch {
		case !acts(r):
			out.WriteRune(r)
		case r == '\n':
			out.WriteString(`\n`)
		case r == '\t':
			out.WriteString(`\t`)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return out.String()
}

// CheckText says what is wrong with a text of one line that somebody wrote, nil
// when it may be kept: it holds nothing that Printable would have to escape,
// and at most limit bytes.
func CheckText(text string, limit int) error { return checkText(text, "", limit) }

// CheckLines is CheckText for text that may have several lines, such as a
// command.
func CheckLines(text string, limit int) error { return checkText(text, "\n\t", limit) }

func checkText(text, kept string, limit int) error {
	if len(text) > limit {
		return fmt.Errorf("has %d bytes; write at most %d", len(text), limit)
	}
	if !utf8.ValidString(text) {
		return fmt.Errorf("is not text in UTF-8; write it anew")
	}
	for at, r := range text {
		if controls(r) && !strings.ContainsRune(kept, r) {
			return fmt.Errorf("holds the control character %s at byte %d; leave it out", escape(string(r), ""), at)
		}
	}
	return nil
}

// text notes a problem unless a text of one line may be kept.
func (c check) text(text string) {
	if err := CheckText(text, MaxText); err != nil {
		c.wrong("%v", err)
	}
}

// command notes a problem unless a command may be kept.
func (c check) command(text string) { c.lines(text, MaxCommand) }

// lines notes a problem unless a text of several lines may be kept.
func (c check) lines(text string, limit int) {
	if err := CheckLines(text, limit); err != nil {
		c.wrong("%v", err)
	}
}

// Shorten returns text cut to at most limit bytes, with how much was left out.
func Shorten(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return shortened(text[:limit], len(text), limit)
}

// shortened ends the beginning of a text that has size bytes.
func shortened(begin string, size, limit int) string {
	kept := min(len(begin), max(0, limit-len(leftOut(size))))
	for kept > 0 && kept < len(begin) && !utf8.RuneStart(begin[kept]) {
		kept--
	}
	return begin[:kept] + leftOut(size-kept)
}

// BoundError returns an error text as it is kept: as BoundLine, but with its end,
// where errors say why. Bounding it again changes nothing.
func BoundError(text string) string {
	return shortenMiddle(Printable(shortenMiddle(text, MaxLine)), MaxLine)
}

// shortenMiddle returns text cut to at most limit bytes, with how much was left
// out between its beginning and its end.
func shortenMiddle(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	end := len(text) - limit/4
	for end < len(text) && !utf8.RuneStart(text[end]) {
		end++
	}
	limit -= len(text) - end
	return shortened(text[:limit], end, limit) + text[end:]
}

// leftOut says how much of a text is missing.
func leftOut(bytes int) string { return fmt.Sprintf(" … (%d bytes left out)", bytes) }

// BoundLine returns one line of output as it is kept: printable, and at most
// MaxLine bytes. Bounding it again changes nothing.
func BoundLine(text string) string { return Shorten(Printable(Shorten(text, MaxLine)), MaxLine) }

// BoundTail returns the last lines of an output as they are kept: at most
// MaxTailLines of at most MaxLine bytes, MaxTail together. What is left out is
// said in its first line. Bounding it again changes nothing.
func BoundTail(lines []string) []string {
	if len(lines) == 0 {
		return lines
	}
	first := max(0, len(lines)-MaxTailLines)
	bounded, size := make([]string, 0, len(lines)-first), 0
	for at := len(lines) - 1; at >= first; at-- {
		line := BoundLine(lines[at])
		if size += len(line) + 1; size > MaxTail-MaxLine && at > 0 {
			first = at + 1
			bounded = append(bounded, fmt.Sprintf("(%d lines before this one are left out)", first))
			break
		}
		bounded = append(bounded, line)
	}
	slices.Reverse(bounded)
	return bounded
}
