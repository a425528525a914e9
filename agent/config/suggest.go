package config

import "strings"

// nearest returns the known word that somebody who wrote word most likely
// meant, and false if none is near: one that differs in case only, else one
// within two slips of the finger (one for words of up to three letters). Of
// equals the first wins.
func nearest(word string, known []string) (string, bool) {
	if len(word) > maxWord {
		return "", false
	}
	word = strings.ToLower(word)
	best, bestDistance := "", 2
	if len(word) <= 3 {
		bestDistance = 1
	}
	found := false
	for _, k := range known {
		if len(k) > len(word)+2 || len(k) < len(word)-2 {
			continue // cannot be near
		}
		d := distance(word, strings.ToLower(k))
		if d < bestDistance || d == bestDistance && !found {
			best, bestDistance, found = k, d, true
		}
	}
	return best, found
}

// didYouMean is the hint to a misspelt word, or "" if no known one is near.
func didYouMean(word string, known []string) string {
	if k, ok := nearest(word, known); ok {
		return "did you mean " + k + "?"
	}
	return ""
}

// distance counts the slips between two words: a letter too many, missing or
// wrong, or two neighbours swapped (optimal string alignment). Time and memory
// grow with the product of the lengths.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			wrong := 1
			if a[i-1] == b[j-1] {
				wrong = 0
			}
			d := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+wrong)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(a)][len(b)]
}

// DidYouMean is the hint to a misspelt word of another program's file, or "" if
// no known one is near.
func DidYouMean(word string, known []string) string { return didYouMean(word, known) }
