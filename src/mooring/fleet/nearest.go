package fleet

import "strings"

// suggest gives the key that was probably meant, else all there are.
func (k *keys) suggest(key string) string {
	best, least := "", len(key)/3+2
	for _, name := range k.names {
		if off := distance(strings.ToLower(key), name); off < least {
			best, least = name, off
		}
	}
	if best == "" {
		return "there are " + strings.Join(k.names, ", ")
	}
	return "did you mean " + best + "?"
}

// distance counts the letters to change, add or leave out to make one word of
// another (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			swapped := diagonal
			if a[i] != b[j] {
				swapped++
			}
			diagonal = row[j+1]
			row[j+1] = min(swapped, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
