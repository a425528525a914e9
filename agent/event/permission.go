package event

// PermissionChanged reports that what lets this node hold addresses is another
// than before. Where it is nothing, everything is given up.
type PermissionChanged struct {
	Policy string // peer, ping, arbiter, quorum
	From   string // as To
	To     string // peer, peer_off, vote, ping, nothing
	Holds  string // what was held then: none, local, foreign, all, transition
	Reason string // why there is nothing; empty where there is something
}

// ArbiterChanged reports that an arbiter answers, or does not.
type ArbiterChanged struct {
	Arbiter string
	Up      bool
	Error   string // why not
}
