package state
const childDir = "X"
func child(string) {}
