package resources

import "context"

// A Prober is a Driver whose resources need a place on this machine, and could
// be in use elsewhere without anybody being told: addresses.
type Prober interface {
	// Place finds where Start would put the resource. The error says why
	// nowhere.
	Place(ctx context.Context, s Spec) (Place, error)

	// Probe asks the network who has each of these resources. It claims
	// nothing, and no third machine takes notice. It takes about a second, or
	// less where every one of them is answered for. The result has an entry
	// for each, in their order.
	Probe(ctx context.Context, specs []Spec) ([]Probe, error)
}

// A Place is an interface as it is now.
type Place struct {
	Interface string
	Up        bool // switched on
	Carrier   bool // and a cable, or what stands for one, is plugged in and carries
}

// A Probe is what the network answered about one resource.
type Probe struct {
	Asked     bool   // false: there is nobody to ask; Unasked says why
	Unasked   string // "eth0 is down", "dummy0 has no neighbours"
	Interface string
	Held      bool     // this machine has it
	Others    []string // hardware addresses of other machines that say they have it, sorted
}
