package handler

import "bytes"

// maxLine bounds one line of output, in bytes; the rest of it is dropped.
const maxLine = 2048

// lineWriter cuts what is written into lines.
type lineWriter struct {
	line    func(string)
	pending []byte
}

// Write implements io.Writer and never fails.
func (w *lineWriter) Write(p []byte) (int, error) {
	rest := p
	for {
		at := bytes.IndexByte(rest, '\n')
		if at < 0 {
			w.keep(rest)
			return len(p), nil
		}
		w.keep(rest[:at])
		w.flush()
		rest = rest[at+1:]
	}
}

func (w *lineWriter) keep(part []byte) {
	w.pending = append(w.pending, part[:min(len(part), maxLine-len(w.pending))]...)
}

func (w *lineWriter) flush() {
	w.line(string(bytes.TrimSuffix(w.pending, []byte{'\r'})))
	w.pending = w.pending[:0]
}

// end passes on a last line that was not ended.
func (w *lineWriter) end() {
	if len(w.pending) > 0 {
		w.flush()
	}
}
