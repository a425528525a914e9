package systemd

import (
	"maps"
	"strings"

	"github.com/godbus/dbus/v5"
)

// A fakeUnit is a unit of the fake. The zero value is a disabled service that
// is not running, and starts and stops at once.
type fakeUnit struct {
	missing, masked bool
	active, sub     string                 // "": inactive, dead
	more            properties             // of the unit interface, over the ordinary ones
	service         properties             // of the service interface likewise
	mount           properties             // of the mount interface likewise
	onStart         func(*fakeUnit) string // its effect and the result of the job; nil: it becomes active
	onStop          func(*fakeUnit) string // likewise; nil: it becomes inactive
	onLook          func(*fakeUnit)        // what happens right after its service properties were read
	hold            chan struct{}          // if not nil, jobs end after it is closed
	waiting         bool                   // its jobs wait for other units before they change anything

	job     uint32
	jobType string
	starts  int // since they were forgotten
	loads   int // times its file was read
	pinned  bool
	heeds   int32 // the signal that ends its program; 0: none
}

func (u *fakeUnit) refusal(name string) *dbus.Error {
	switch {
	case u.missing:
		return failed("NoSuchUnit", "Unit %s not found.", name)
	case u.masked:
		return failed("UnitMasked", "Unit %s is masked.", name)
	}
	return nil
}

func (u *fakeUnit) start() string {
	if u.active == "active" {
		return "done"
	}
	u.starts++
	if u.starts > 5 { // DefaultStartLimitBurst=
		return u.fail("start-limit-hit", 0, 0)
	}
	if u.onStart != nil {
		return u.onStart(u)
	}
	u.active, u.sub = "active", "running"
	return "done"
}

func (u *fakeUnit) stop() string {
	if u.onStop != nil {
		return u.onStop(u)
	}
	u.active, u.sub = "inactive", "dead"
	return "done"
}

// fail leaves the unit failed, with what it says about its main process.
func (u *fakeUnit) fail(result string, code, status int32) string {
	u.active, u.sub = "failed", "failed"
	u.service = maps.Clone(u.service)
	if u.service == nil {
		u.service = properties{}
	}
	u.service["Result"], u.service["ExecMainCode"], u.service["ExecMainStatus"] = result, code, status
	return "failed"
}

type pair[A, B any] struct {
	First  A
	Second B
}

func (u *fakeUnit) properties(iface string) properties {
	if strings.HasSuffix(iface, ".Service") {
		return merged(properties{
			"Type": "forking", "RemainAfterExit": false, "Result": "success",
			"ExecMainCode": int32(0), "ExecMainStatus": int32(0), "StatusText": "", "NRestarts": uint32(0),
		}, u.service)
	}
	if strings.HasSuffix(iface, ".Mount") {
		return merged(properties{"What": "", "Type": "", "Options": "", "Result": "success"}, u.mount)
	}
	load := "loaded"
	switch {
	case u.missing:
		load = "not-found"
	case u.masked:
		load = "masked"
	}
	return merged(properties{
		"LoadState": load, "LoadError": pair[string, string]{}, "ActiveState": u.active, "SubState": u.sub,
		"Job":           pair[uint32, dbus.ObjectPath]{u.job, jobPath(u.job)},
		"UnitFileState": "disabled", "WantedBy": []string{}, "RequiredBy": []string{}, "TriggeredBy": []string{},
		"NeedDaemonReload": false, "RefuseManualStart": false, "RefuseManualStop": false,
		"ConditionTimestamp": uint64(0), "ConditionResult": false,
	}, u.more)
}

func merged(p, over properties) properties {
	maps.Copy(p, over)
	return p
}
