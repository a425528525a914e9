package wire

import "crypto/subtle"

// Differ names the keys that are not the same in two keyrings, by number: new
// ones, those that are gone, and those of another method or secret.
func (r *Keyring) Differ(from *Keyring) (numbers []int) {
	for number := range maxKeys {
		if !r.keys[number].same(from.keys[number]) {
			numbers = append(numbers, number)
		}
	}
	return numbers
}

func (k *Key) same(other *Key) bool {
	if k == nil || other == nil {
		return k == other
	}
	return k.Method == other.Method && subtle.ConstantTimeCompare(k.Secret, other.Secret) == 1
}
