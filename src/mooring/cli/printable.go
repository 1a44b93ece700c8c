package cli

import (
	"io"
	"sync"
	"unicode/utf8"

	"mooring/model"
)

// printable passes on what is written so that nothing in it acts on a terminal:
// all that the program prints goes through it. Ends of lines and tabs stay.
type printable struct {
	mu sync.Mutex
	to io.Writer
	// begun is the beginning of a character whose rest has not been written.
	begun []byte
}

// printableTo makes what is written to a writer printable.
func printableTo(to io.Writer) io.Writer {
	if already, is := to.(*printable); is {
		return already
	}
	return &printable{to: to}
}

// rawOf returns the writer behind, for what is meant to act on it.
func rawOf(w io.Writer) io.Writer {
	if over, is := w.(*printable); is {
		return over.to
	}
	return w
}

// Write implements io.Writer.
func (p *printable) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := append(p.begun, text...)
	whole := len(all)
	for cut := 1; cut < utf8.UTFMax && cut <= len(all); cut++ {
		if at := len(all) - cut; utf8.RuneStart(all[at]) {
			if !utf8.FullRune(all[at:]) {
				whole = at
			}
			break
		}
	}
	p.begun = append([]byte(nil), all[whole:]...)
	if _, err := io.WriteString(p.to, model.PrintableLines(string(all[:whole]))); err != nil {
		return 0, err
	}
	return len(text), nil
}

// orElse returns a writer, or another where there is none.
func orElse(w, other io.Writer) io.Writer {
	if w == nil {
		return other
	}
	return w
}
