package core

// OwnKey has what is sent signed with the key that authkeys says.
const OwnKey = -1

// signWith is the number of the key to sign with. A 3.0.6 node verifies with the
// secret of the key that it signs with itself, whatever number the message
// names, and would refuse us while authkeys of the two nodes say to sign with
// different keys: so we sign with the one that it does. A systole node
// verifies by the number.
//
// Source: is_auth_msg in heartbeat 3.0.6's heartbeat.c, as two nodes were seen to
// act by it.
func (c *Core) signWith() int {
	for _, name := range c.cfg.Members.Peers {
		if p := c.peers[name]; p.foreign {
			return p.key // of two nodes there is one peer
		}
	}
	return OwnKey
}
