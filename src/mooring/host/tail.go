package host

// tail keeps the end of what is written to it: at most limit bytes, cut at the
// beginning of a line where one begins among them.
type tail struct {
	limit int
	kept  []byte
	cut   bool
}

// Write implements io.Writer. It never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - t.limit; over > 0 {
		t.cut = true
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
	return len(p), nil
}

// String gives what was kept, with a mark where something is missing.
func (t *tail) String() string {
	if !t.cut {
		return string(t.kept)
	}
	for i, b := range t.kept {
		if b == '\n' && i+1 < len(t.kept) {
			return "…" + string(t.kept[i+1:])
		}
	}
	return "…" + string(t.kept)
}
