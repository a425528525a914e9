// Package chaos breaks a pair of nodes in every way the lab knows and counts, by
// the kernels' own messages and by what answers a client, for how long an
// address was with two nodes or with none: in a table, one fault after another
// beside the rivals' (TestTable), and at random for as long as is wanted
// (TestRandom). See make chaos and docs/safety.md.
package chaos
