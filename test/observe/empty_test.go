package observe

// empty are the queries that have no answer in the long run, and why not. One
// that has an answer must leave the list.
var empty = map[string]string{
	"SystoleClockSkew": "both nodes have this machine's clock",
}

// still are the families that do not move in the long run, and why not. One that
// moves must leave the list.
var still = map[string]string{}
