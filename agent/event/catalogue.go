package event

// An Entry is what the catalogue says of one kind of event.
type Entry struct {
	Event     Event // a zero value of its type
	Severity  Severity
	MessageID string // 32 hex digits, for the journal; empty for samples
	Meaning   string // one line for people
}

// Catalogue has every kind there is, in the order of docs/events.md. MessageIDs
// are random, made for this project, and never change.
var Catalogue = []Entry{
	{NodeStarted{}, Info, "ba6bf02cbb4c409eabb6b0e1c040304e", "the daemon has opened its links"},
	{NodeJoined{}, Info, "73abe79624d03cfd6eea8bc55bbd17e2", "this daemon takes part in the cluster"},
	{NodeStopping{}, Notice, "938977940b7b44c9b09828481cfabe25", "the daemon was told to stop and hands over"},
	{NodeRestarting{}, Notice, "47b53652ab49495789525602979aa505", "the daemon ends to be started again, and gives nothing up"},
	{NodeStopped{}, Info, "e7177c40ed9745df8e0397f6eeff16c1", "everything was released and the peer was told"},
	{AgentLate{}, Warning, "f72dac6df08a49bb8b925302f9eb1aa9", "our own loop ran late; a peer is not judged by that time"},
	{NodeSuspended{}, Warning, "14da4a38edb94f7fb3abbc3729610e6b", "this machine was suspended for a while"},
	{WatchdogArmed{}, Notice, "a6503bb684a9488da53c094641119fa4", "the watchdog device counts down"},
	{WatchdogFed{}, Sample, "", "the watchdog device was fed"},
	{WatchdogNearMiss{}, Error, "91315ef8f7ed49d788b5db7bd120ab78", "more than half of the watchdog device's timeout had passed when it was fed"},
	{WatchdogFailed{}, Error, "10d3bb80527b4a4885d59128df23a0ae", "the watchdog device cannot be opened, or not be fed"},
	{LinkOpened{}, Info, "92858cc8bb9e44c78175dc806662aca4", "a link's socket or line is usable"},
	{LinkClosed{}, Warning, "bf76b9bbff0845cd966ae7658dd5da51", "a link's socket or line is not usable at present"},
	{LinkUp{}, Notice, "adddfc37b8824371b0a7f6a8dae23368", "a peer is heard on a link"},
	{LinkDown{}, Warning, "f57aa367a5cc45de823409ea0fcbc63e", "a peer was not heard on a link for its deadtime"},
	{HeartbeatSent{}, Sample, "", "a heartbeat was handed to the links"},
	{HeartbeatReceived{}, Sample, "", "a valid heartbeat was heard on a link"},
	{HeartbeatLate{}, Warning, "b9bec8467aa74bceb9527fd70617830d", "a heartbeat ended a silence longer than warntime"},
	{HeartbeatLost{}, Sample, "", "messages of a peer never came on a link"},
	{HeartbeatReordered{}, Sample, "", "a message came behind a newer one"},
	{HeartbeatDuplicated{}, Sample, "", "a message came twice on one link"},
	{HeartbeatRejected{}, Warning, "0e07d5700ada4e348ba0885c855939dc", "datagrams were not believed"},
	{SendFailed{}, Sample, "", "the kernel would not take a datagram"},
	{RetransmitRequested{}, Sample, "", "messages were asked for again"},
	{MessageLost{}, Error, "9fc15da465974ecfbbf3778847bd9c86", "a message of a peer is lost for good"},
	{PeerIdentified{}, Info, "81b58051ac684033970e6b8ef8ac1d7f", "a peer turned out to be systole or heartbeat"},
	{PeerStateChanged{}, Notice, "60324cf867824b3582d7ad45dc288dfa", "a peer or ping node has a new state"},
	{PeerDead{}, Critical, "936706e2793748b686b66e3d3e7dfbaa", "a peer's silence reached its deadtime"},
	{PeerReturned{}, Notice, "e9bef5c6ebc845a7a4f017f04794c9ba", "a peer declared dead is heard again"},
	{PeerFalseDeath{}, Error, "1cf30f50609d4049afb38a0a471a27da", "a peer declared dead had been alive all along"},
	{PeerRestarted{}, Notice, "493e2f251b8a43e69f7073266af46df3", "a peer's daemon restarted before it was missed"},
	{PingAnswered{}, Sample, "", "a ping node answered"},
	{ConfigDrift{}, Warning, "b312867047c2469fa02e53593a78fab2", "the peer's file is not the same as ours"},
	{SplitBrainSuspected{}, Critical, "9ae4f4a9194f438ca6d426b21ebf3ea1", "two nodes say that they hold one group"},
	{SplitBrainCleared{}, Notice, "db211d7e557e4974842eef52e1c66a0f", "one of two owners has given up"},
	{TakeoverStarted{}, Notice, "b01172b390bd42e5a96e63bf05d2af5a", "groups are being acquired"},
	{TakeoverPhase{}, Info, "ac933e33e9f14153b5a3e5935c53414e", "one part of a takeover is over"},
	{TakeoverCompleted{}, Notice, "f17b26438d9f424392bd9957e64060ce", "every group of a takeover has settled"},
	{TakeoverFailed{}, Critical, "55dc81191798476385c9c7732de499e6", "a takeover could not bring a group up"},
	{ReleaseStarted{}, Notice, "b48303f56eab499da7bb516481ca12e5", "groups are being given up"},
	{ReleaseCompleted{}, Notice, "a963a6a8698b474891699d08492a0ec8", "every group of a release is stopped"},
	{MoveRefused{}, Warning, "f3d2a9988ad64da28365676ac4312c25", "a request to move groups was turned down"},
	{GroupStateChanged{}, Info, "95c962bd95934fbaa529fb06ab92a4ca", "a group has a new state on this node"},
	{HoldChanged{}, Notice, "ab7a392676294bb8a43bb19e47e1dd7e", "this node holds something else than before"},
	{ResourceOperation{}, Info, "cc849f0db96d4d289536b888301c66f0", "an operation on a resource has ended"},
	{ResourceFailed{}, Error, "1732f49b8a4344789be11295a9806b27", "a resource would not do what it was told"},
	{UnitStateChanged{}, Info, "0f4f084d8ee1e1a57f7e788087e34892", "systemd says that a unit has a new state"},
	{UnitRestarted{}, Warning, "b04579bae2714b15a3453659b144b7d0", "systemd restarted a unit by itself"},
	{AddressChanged{}, Info, "98d729a2e56fc164d98c10bb495b8ea5", "the kernel has an address, or has it no more"},
	{ResourcePutBack{}, Warning, "c307a1564be04ed1a82650529a1647b0", "a resource that somebody else took away is in its place again"},
	{AddressLost{}, Error, "74d640847c7a470eb8e75b76afe37ed9", "an address held here was taken away by somebody else"},
	{AddressConflict{}, Critical, "f92a40101e2d4886a2b06d85015e519f", "another machine answers for an address held here"},
	{AddressConflictCleared{}, Notice, "32048ca3d2f281c13b7266614e4e7aa7", "nobody else answers for the address any more"},
	{AddressAnnounced{}, Sample, "", "an address was announced to its network"},
	{CarrierLost{}, Error, "f04087124cae4e12923000d220af5599", "an interface of addresses has lost its carrier: nobody reaches them here"},
	{CarrierReturned{}, Notice, "ca287562ab85470a981cffc028abafd2", "an interface of addresses has its carrier again"},
	{PingsCompared{}, Notice, "97eddacdfe194ccb9db7d4be85c7f8e8", "the two nodes reach another number of ping nodes, or as many again"},
	{OwnerChanged{}, Notice, "c2f25e1d23229c931882607c1bd1ab9b", "a group has another proven owner, or none"},
	{LeaseLapsed{}, Error, "bee5436f0a539de577420115d70b4be8", "this node stood still for longer than the leases of its addresses"},
	{LeaseNotRenewed{}, Error, "eb7856e266d59d8d98433927e348db8b", "the leases of addresses could not be renewed"},
	{LeaseRestored{}, Warning, "4f505465ad5742ff83b0acb0765872f8", "a lease that somebody else took away is in force again"},
	{LeaseWeaker{}, Error, "2a1e356bf7ee477b9975cc8158189a16", "this machine cannot have a lease that is wanted"},
	{PermissionChanged{}, Notice, "4a4953d964b7b19627ed50ce37564598", "what lets this node hold addresses is another than before"},
	{ArbiterChanged{}, Notice, "c78eae275b0eda158f1c484679ac8786", "an arbiter answers, or does not"},
	{FenceStarted{}, Notice, "cdce4d1791204363ad276fd913aaeb84", "a silent peer is to be switched off before it is replaced"},
	{FenceAttempted{}, Notice, "157fc4da36004c3192170506b94e7807", "a device was asked to switch a node off"},
	{FenceCompleted{}, Notice, "1b4b77da95504f4783996c9907a11f76", "a silent peer is known to be off, or is heard again"},
	{FenceFailed{}, Critical, "ae064dc228f54c1ebd2d41cd3e377104", "a silent peer could not be switched off, or was not"},
	{ReadinessChanged{}, Notice, "edcd23bd90354b2161856341804f105f", "a check whether a takeover here would work has a new verdict"},
	{ConfigReloaded{}, Notice, "42f4ca8a5798487fbdac129ae9bef50b", "a file was read again and is in use"},
	{ConfigReloadFailed{}, Error, "38fa005a636a7d8ab9f81d6aaff92563", "a file was read again and refused"},
	{ConfigPending{}, Warning, "baff9a35ac35411e8eb19d76dfe3dca7", "a file on disk is not what this daemon runs, or is again"},
	{ClockSkew{}, Warning, "167e74bbc6a04a82bed813449c93835a", "the clocks of two nodes differ, or agree again"},
	{RecorderDumped{}, Info, "2976c203348f74f93c3da672c3c3a071", "the execution flight recorder was written"},
	{OperatorCommand{}, Notice, "39802abad03043cb9f7971191d570d72", "a request came over the control socket"},
	{TelemetryDegraded{}, Warning, "8d3d407f9e4146efb6c017859d62c876", "a sink could not take all records"},
}

// Lookup finds the entry of e's kind.
func Lookup(e Event) Entry { return byKind[e.Kind()] }

var byKind = func() map[string]Entry {
	m := make(map[string]Entry, len(Catalogue))
	for _, entry := range Catalogue {
		m[entry.Event.Kind()] = entry
	}
	return m
}()

// SeverityOf is the severity of e: its kind's, save for the few events whose
// weight depends on what they say.
func SeverityOf(e Event) Severity {
	if other, is := unlike(e); is {
		return other
	}
	return Lookup(e).Severity
}

// Severities are all that events of e's kind can have, the kind's own first.
func Severities(e Event) []Severity {
	own := Lookup(e).Severity
	if other, _ := unlike(e); other != own && other != Sample {
		return []Severity{own, other}
	}
	return []Severity{own}
}

// unlike is the other severity that some events of e's kind have, and whether e
// is one of them. Where a kind has only one it is Sample, and false.
func unlike(e Event) (other Severity, is bool) {
	switch e := e.(type) {
	case AgentLate:
		return Info, !e.Held
	case LinkDown:
		return Notice, e.LinksLeft == 0 // the peer is dead, and that is said; or it has stopped
	case PeerDead:
		return Notice, e.NeverHeard // nobody has ever depended on it
	case ConfigDrift:
		return Notice, e.Ours == e.Theirs
	case ConfigPending:
		return Notice, e.Error == ""
	case ClockSkew:
		return Notice, e.Agrees
	case PermissionChanged:
		return Error, e.To == "nothing" && e.Holds != "none"
	case ArbiterChanged:
		return Warning, !e.Up
	case ReadinessChanged:
		return Warning, !e.Ready
	case PingsCompared:
		return Warning, e.Ours != e.Theirs
	case ResourceOperation:
		return Warning, e.Result != "ok"
	case FenceAttempted:
		return Warning, e.Result != "ok"
	}
	return Sample, false
}

func (NodeStarted) Kind() string            { return "node.started" }
func (NodeJoined) Kind() string             { return "node.joined" }
func (NodeStopping) Kind() string           { return "node.stopping" }
func (NodeRestarting) Kind() string         { return "node.restarting" }
func (NodeStopped) Kind() string            { return "node.stopped" }
func (AgentLate) Kind() string              { return "agent.late" }
func (NodeSuspended) Kind() string          { return "node.suspended" }
func (WatchdogArmed) Kind() string          { return "watchdog.armed" }
func (WatchdogFed) Kind() string            { return "watchdog.fed" }
func (WatchdogNearMiss) Kind() string       { return "watchdog.near_miss" }
func (WatchdogFailed) Kind() string         { return "watchdog.failed" }
func (LinkOpened) Kind() string             { return "link.opened" }
func (LinkClosed) Kind() string             { return "link.closed" }
func (LinkUp) Kind() string                 { return "link.up" }
func (LinkDown) Kind() string               { return "link.down" }
func (HeartbeatSent) Kind() string          { return "heartbeat.sent" }
func (HeartbeatReceived) Kind() string      { return "heartbeat.received" }
func (HeartbeatLate) Kind() string          { return "heartbeat.late" }
func (HeartbeatLost) Kind() string          { return "heartbeat.lost" }
func (HeartbeatReordered) Kind() string     { return "heartbeat.reordered" }
func (HeartbeatDuplicated) Kind() string    { return "heartbeat.duplicated" }
func (HeartbeatRejected) Kind() string      { return "heartbeat.rejected" }
func (SendFailed) Kind() string             { return "send.failed" }
func (RetransmitRequested) Kind() string    { return "retransmit.requested" }
func (MessageLost) Kind() string            { return "message.lost" }
func (PeerIdentified) Kind() string         { return "peer.identified" }
func (PeerStateChanged) Kind() string       { return "peer.state_changed" }
func (PeerDead) Kind() string               { return "peer.dead" }
func (PeerReturned) Kind() string           { return "peer.returned" }
func (PeerFalseDeath) Kind() string         { return "peer.false_death" }
func (PeerRestarted) Kind() string          { return "peer.restarted" }
func (PingAnswered) Kind() string           { return "ping.answered" }
func (ConfigDrift) Kind() string            { return "config.drift" }
func (SplitBrainSuspected) Kind() string    { return "split_brain.suspected" }
func (SplitBrainCleared) Kind() string      { return "split_brain.cleared" }
func (TakeoverStarted) Kind() string        { return "takeover.started" }
func (TakeoverPhase) Kind() string          { return "takeover.phase" }
func (TakeoverCompleted) Kind() string      { return "takeover.completed" }
func (TakeoverFailed) Kind() string         { return "takeover.failed" }
func (ReleaseStarted) Kind() string         { return "release.started" }
func (ReleaseCompleted) Kind() string       { return "release.completed" }
func (MoveRefused) Kind() string            { return "move.refused" }
func (GroupStateChanged) Kind() string      { return "group.state_changed" }
func (HoldChanged) Kind() string            { return "hold.changed" }
func (ResourceOperation) Kind() string      { return "resource.operation" }
func (ResourceFailed) Kind() string         { return "resource.failed" }
func (UnitStateChanged) Kind() string       { return "unit.state_changed" }
func (UnitRestarted) Kind() string          { return "unit.restarted" }
func (AddressChanged) Kind() string         { return "address.changed" }
func (ResourcePutBack) Kind() string        { return "resource.put_back" }
func (AddressLost) Kind() string            { return "address.lost" }
func (AddressConflict) Kind() string        { return "address.conflict" }
func (AddressConflictCleared) Kind() string { return "address.conflict_cleared" }
func (AddressAnnounced) Kind() string       { return "address.announced" }
func (CarrierLost) Kind() string            { return "carrier.lost" }
func (CarrierReturned) Kind() string        { return "carrier.returned" }
func (PingsCompared) Kind() string          { return "pings.compared" }
func (OwnerChanged) Kind() string           { return "owner.changed" }
func (LeaseLapsed) Kind() string            { return "lease.lapsed" }
func (LeaseNotRenewed) Kind() string        { return "lease.not_renewed" }
func (LeaseRestored) Kind() string          { return "lease.restored" }
func (LeaseWeaker) Kind() string            { return "lease.weaker" }
func (PermissionChanged) Kind() string      { return "permission.changed" }
func (ArbiterChanged) Kind() string         { return "arbiter.changed" }
func (FenceStarted) Kind() string           { return "fence.started" }
func (FenceAttempted) Kind() string         { return "fence.attempted" }
func (FenceCompleted) Kind() string         { return "fence.completed" }
func (FenceFailed) Kind() string            { return "fence.failed" }
func (ReadinessChanged) Kind() string       { return "readiness.changed" }
func (ConfigReloaded) Kind() string         { return "config.reloaded" }
func (ConfigReloadFailed) Kind() string     { return "config.reload_failed" }
func (ConfigPending) Kind() string          { return "config.pending" }
func (ClockSkew) Kind() string              { return "clock.skew" }
func (RecorderDumped) Kind() string         { return "recorder.dumped" }
func (OperatorCommand) Kind() string        { return "operator.command" }
func (TelemetryDegraded) Kind() string      { return "telemetry.degraded" }

func (NodeStarted) isEvent()            {}
func (NodeJoined) isEvent()             {}
func (NodeStopping) isEvent()           {}
func (NodeRestarting) isEvent()         {}
func (NodeStopped) isEvent()            {}
func (AgentLate) isEvent()              {}
func (NodeSuspended) isEvent()          {}
func (WatchdogArmed) isEvent()          {}
func (WatchdogFed) isEvent()            {}
func (WatchdogNearMiss) isEvent()       {}
func (WatchdogFailed) isEvent()         {}
func (LinkOpened) isEvent()             {}
func (LinkClosed) isEvent()             {}
func (LinkUp) isEvent()                 {}
func (LinkDown) isEvent()               {}
func (HeartbeatSent) isEvent()          {}
func (HeartbeatReceived) isEvent()      {}
func (HeartbeatLate) isEvent()          {}
func (HeartbeatLost) isEvent()          {}
func (HeartbeatReordered) isEvent()     {}
func (HeartbeatDuplicated) isEvent()    {}
func (HeartbeatRejected) isEvent()      {}
func (SendFailed) isEvent()             {}
func (RetransmitRequested) isEvent()    {}
func (MessageLost) isEvent()            {}
func (PeerIdentified) isEvent()         {}
func (PeerStateChanged) isEvent()       {}
func (PeerDead) isEvent()               {}
func (PeerReturned) isEvent()           {}
func (PeerFalseDeath) isEvent()         {}
func (PeerRestarted) isEvent()          {}
func (PingAnswered) isEvent()           {}
func (ConfigDrift) isEvent()            {}
func (SplitBrainSuspected) isEvent()    {}
func (SplitBrainCleared) isEvent()      {}
func (TakeoverStarted) isEvent()        {}
func (TakeoverPhase) isEvent()          {}
func (TakeoverCompleted) isEvent()      {}
func (TakeoverFailed) isEvent()         {}
func (ReleaseStarted) isEvent()         {}
func (ReleaseCompleted) isEvent()       {}
func (MoveRefused) isEvent()            {}
func (GroupStateChanged) isEvent()      {}
func (HoldChanged) isEvent()            {}
func (ResourceOperation) isEvent()      {}
func (ResourceFailed) isEvent()         {}
func (UnitStateChanged) isEvent()       {}
func (UnitRestarted) isEvent()          {}
func (AddressChanged) isEvent()         {}
func (ResourcePutBack) isEvent()        {}
func (AddressLost) isEvent()            {}
func (AddressConflict) isEvent()        {}
func (AddressConflictCleared) isEvent() {}
func (AddressAnnounced) isEvent()       {}
func (CarrierLost) isEvent()            {}
func (CarrierReturned) isEvent()        {}
func (PingsCompared) isEvent()          {}
func (OwnerChanged) isEvent()           {}
func (LeaseLapsed) isEvent()            {}
func (LeaseNotRenewed) isEvent()        {}
func (LeaseRestored) isEvent()          {}
func (LeaseWeaker) isEvent()            {}
func (PermissionChanged) isEvent()      {}
func (ArbiterChanged) isEvent()         {}
func (FenceStarted) isEvent()           {}
func (FenceAttempted) isEvent()         {}
func (FenceCompleted) isEvent()         {}
func (FenceFailed) isEvent()            {}
func (ReadinessChanged) isEvent()       {}
func (ConfigReloaded) isEvent()         {}
func (ConfigReloadFailed) isEvent()     {}
func (ConfigPending) isEvent()          {}
func (ClockSkew) isEvent()              {}
func (RecorderDumped) isEvent()         {}
func (OperatorCommand) isEvent()        {}
func (TelemetryDegraded) isEvent()      {}
