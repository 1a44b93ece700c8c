package fleet

import "strings"

// nearest gives the key that was probably meant, "" if none is near. A key
// without its unit, as in "disk", is near however short it is.
func nearest(fields []field, key string) string {
	key = strings.ToLower(key)
	best, least := "", len(key)/3+2
	for i := range fields {
		if strings.HasPrefix(fields[i].key, key+"_") {
			return fields[i].key
		}
		if off := distance(key, fields[i].key); off < least {
			best, least = fields[i].key, off
		}
	}
	return best
}

// distance counts the letters to add or leave out to make one word of another.
// To change one is both: "note" is a word of its own, not "name" misspelt.
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
				swapped += 2
			}
			diagonal = row[j+1]
			row[j+1] = min(swapped, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
