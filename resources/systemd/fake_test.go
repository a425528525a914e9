package systemd

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// A fake is systemd as far as the driver sees it: the parts of
// org.freedesktop.systemd1(5) that it calls, and what systemd 252 was seen to
// do with them. A unit's jobs end when the test says so, if it holds them.
type fake struct {
	mu        sync.Mutex
	conns     []*dbus.Conn // to the buses it is on, and those it was on
	units     map[string]*fakeUnit
	jobs      uint32
	transient *fakeUnit   // what a unit that is made does; nil: what others do
	calls     []string    // the requests that change something, in order
	asked     chan string // the same, one by one; 100 are more than a test makes
}

func newFake(units map[string]*fakeUnit) *fake {
	for _, u := range units {
		if u.active == "" {
			u.active, u.sub = "inactive", "dead"
		}
	}
	return &fake{units: units, asked: make(chan string, 100)}
}

const (
	systemdName = "org.freedesktop.systemd1"
	systemdPath = "/org/freedesktop/systemd1"
)

// join puts the fake on a bus, as systemd when the bus has come up.
func (f *fake) join(t *testing.T, b *testBus) {
	t.Helper()
	c := b.dial(t)
	for _, err := range []error{
		c.Export(manager{f}, systemdPath, systemdName+".Manager"),
		c.ExportSubtree(unitProperties{f}, systemdPath+"/unit", "org.freedesktop.DBus.Properties"),
		c.ExportSubtree(jobProperties{f}, systemdPath+"/job", "org.freedesktop.DBus.Properties"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	f.mu.Lock()
	f.conns = append(f.conns, c)
	f.mu.Unlock()
	if reply, err := c.RequestName(systemdName, dbus.NameFlagDoNotQueue); err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		t.Fatalf("own %s: %v, %v", systemdName, reply, err)
	}
	t.Cleanup(func() { c.Close() })
}

// leave takes the fake off every bus, without answers to calls in flight.
func (f *fake) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.conns {
		c.Close()
	}
	f.conns = nil
}

// log returns the requests so far and forgets them.
func (f *fake) log() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	calls := f.calls
	f.calls = nil
	return calls
}

// record notes a request.
func (f *fake) record(call string) {
	f.calls = append(f.calls, call)
	f.asked <- call
}

// await returns when the request has been made.
func (f *fake) await(t *testing.T, call string) {
	t.Helper()
	late := time.After(5 * time.Second)
	for {
		select {
		case got := <-f.asked:
			if got == call {
				return
			}
		case <-late:
			t.Fatalf("%q was not asked for within 5 s", call)
		}
	}
}

// change runs fn on a unit while nobody else does.
func (f *fake) change(name string, fn func(*fakeUnit)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fn(f.units[name])
}

// find returns a unit, which is read from its file if nothing keeps it loaded.
func (f *fake) find(name string) *fakeUnit {
	u := f.units[name]
	if u == nil {
		return &fakeUnit{missing: true, active: "inactive", sub: "dead"}
	}
	if !u.pinned && u.active == "inactive" && u.job == 0 || u.loads == 0 {
		u.loads++
	}
	return u
}

// manager is the object that systemd itself is.
type manager struct{ *fake }

func (m manager) StartUnit(name, mode string) (dbus.ObjectPath, *dbus.Error) {
	return m.enqueue("start", name, mode)
}

func (m manager) StopUnit(name, mode string) (dbus.ObjectPath, *dbus.Error) {
	return m.enqueue("stop", name, mode)
}

func (m manager) ResetFailedUnit(name string) *dbus.Error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.record("reset " + name)
	u := m.find(name)
	if u.missing {
		return failed("NoSuchUnit", "Unit %s not loaded.", name)
	}
	u.starts = 0
	if u.active == "failed" {
		u.active, u.sub = "inactive", "dead"
	}
	return nil
}

func (m manager) RefUnit(name string) *dbus.Error {
	m.mu.Lock()
	defer m.mu.Unlock()
	u := m.find(name)
	if err := u.refusal(name); err != nil {
		return err
	}
	u.pinned = true
	return nil
}

// GetUnitByPID knows one unit by its process: own.
func (m manager) GetUnitByPID(pid uint32) (dbus.ObjectPath, *dbus.Error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, there := m.units[own]; !there || pid != uint32(os.Getpid()) {
		return "", failed("NoUnitForPID", "PID %d does not belong to any loaded unit.", pid)
	}
	return unitPath(own), nil
}

// own is the unit that this very process is of.
const own = "own.service"

// Subscribe is asked for by those who want signals.
func (m manager) Subscribe() *dbus.Error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked <- "subscribe"
	return nil
}

func failed(name, format string, args ...any) *dbus.Error {
	return dbus.NewError(systemdName+"."+name, []any{fmt.Sprintf(format, args...)})
}

// enqueue makes a job, or merges the request with a job of its kind; a job of
// the other kind is canceled.
func (f *fake) enqueue(kind, name, mode string) (dbus.ObjectPath, *dbus.Error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.record(kind + " " + name + " " + mode)
	u := f.find(name)
	if err := u.refusal(name); err != nil && kind == "start" {
		return "", err
	}
	if u.job != 0 && u.jobType == kind {
		return jobPath(u.job), nil
	}
	if u.job != 0 {
		f.remove(name, u, "canceled")
	}
	f.jobs++
	u.job, u.jobType = f.jobs, kind
	go f.run(name, u, f.jobs, kind, u.hold)
	return jobPath(f.jobs), nil
}

func jobPath(id uint32) dbus.ObjectPath {
	return dbus.ObjectPath(fmt.Sprintf("%s/job/%d", systemdPath, id))
}

// run carries out a job, unless it was canceled meanwhile.
func (f *fake) run(name string, u *fakeUnit, id uint32, kind string, hold <-chan struct{}) {
	f.mu.Lock()
	if u.job == id && u.active != "active" && kind == "start" && !u.waiting {
		u.active, u.sub = "activating", "start"
	}
	f.mu.Unlock()
	if hold != nil {
		<-hold
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if u.job != id {
		return
	}
	result := "done"
	if kind == "start" {
		result = u.start()
	} else {
		result = u.stop()
	}
	f.remove(name, u, result)
}

// remove ends a job and tells everybody who is there to hear it.
func (f *fake) remove(name string, u *fakeUnit, result string) {
	id := u.job
	u.job, u.jobType = 0, ""
	for _, c := range f.conns {
		_ = c.Emit(systemdPath, systemdName+".Manager.JobRemoved", id, jobPath(id), name, result) // gone with its bus, perhaps
	}
}

// unitProperties is the object that each unit is.
type unitProperties struct{ *fake }

func (p unitProperties) GetAll(m dbus.Message, iface string) (map[string]dbus.Variant, *dbus.Error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	name := unescaped(string(m.Headers[dbus.FieldPath].Value().(dbus.ObjectPath)))
	u := p.find(name)
	all := make(map[string]dbus.Variant)
	for _, one := range interfaces(name, iface) {
		for key, value := range u.properties(one) {
			all[key] = dbus.MakeVariant(value)
		}
	}
	if u.onLook != nil && strings.HasSuffix(iface, ".Service") {
		u.onLook(u)
	}
	return all, nil
}

// jobProperties is the object that each job is.
type jobProperties struct{ *fake }

func (p jobProperties) Get(m dbus.Message, iface, name string) (dbus.Variant, *dbus.Error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, u := range p.units {
		if u.job != 0 && m.Headers[dbus.FieldPath].Value() == jobPath(u.job) && iface == systemdName+".Job" && name == "JobType" {
			return dbus.MakeVariant(u.jobType), nil
		}
	}
	return dbus.Variant{}, dbus.NewError("org.freedesktop.DBus.Error.UnknownObject", nil)
}

// interfaces are those whose properties a call asks for: all, where it names none.
func interfaces(unit, iface string) []string {
	if iface == "" {
		return []string{systemdName + "." + typeOf(unit), systemdName + ".Unit"}
	}
	return []string{iface}
}

// turn changes a unit and tells everybody who listens, as systemd does: first
// what is particular to the unit's type.
func (f *fake) turn(name string, fn func(*fakeUnit)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	u := f.units[name]
	fn(u)
	for _, c := range f.conns {
		for _, iface := range interfaces(name, "") {
			changed := make(map[string]dbus.Variant)
			for key, value := range u.properties(iface) {
				changed[key] = dbus.MakeVariant(value)
			}
			_ = c.Emit(unitPath(name), "org.freedesktop.DBus.Properties.PropertiesChanged", iface, changed, []string{})
		}
	}
}

// reload tells everybody that systemd has read its files again.
func (f *fake) reload() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.conns {
		_ = c.Emit(systemdPath, systemdName+".Manager.Reloading", false)
	}
}

// unescaped is the name of the unit that a path stands for.
func unescaped(path string) string {
	var name strings.Builder
	escaped := path[strings.LastIndexByte(path, '/')+1:]
	for i := 0; i < len(escaped); i++ {
		var b byte = escaped[i]
		if b == '_' {
			if _, err := fmt.Sscanf(escaped[i+1:i+3], "%02x", &b); err != nil {
				panic(err)
			}
			i += 2
		}
		name.WriteByte(b)
	}
	return name.String()
}
