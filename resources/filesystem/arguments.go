package filesystem

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/systemd"
)

const form = "device, mount point and, optional, type and options, as in Filesystem::/dev/drbd0::/srv/data::ext4::noatime"

// Parse reads the arguments of a Filesystem:
//
//	device::mount point[::type[::options]]
//	mount point
//
// The device is a block device, or "-L" or "-U" with a label or UUID behind it,
// as LABEL= and UUID= have it, or what the type has in its place: "server:/dir",
// a directory with the option bind. A mount point alone is one that a mount unit
// or /etc/fstab says the rest about, which the script does not know.
//
// Source: resource.d/Filesystem of heartbeat 3.0.6 and the agent in
// resource-agents that it calls.
func Parse(s resources.Spec) (m systemd.Mount, err error) {
	switch len(s.Args) {
	case 1:
		if strings.HasPrefix(s.Args[0], "/dev/") {
			return m, fmt.Errorf("where %s is to be mounted is missing: %s takes %s", s.Args[0], s.Name, form)
		}
		m.Where, err = parsePlace(s.Args[0])
		return m, err
	case 2, 3, 4:
	default:
		return m, fmt.Errorf("%s takes %s", s.Name, form)
	}
	args := append(slices.Clone(s.Args), "", "")[:4] // absent ones are empty
	if m.What, err = parseDevice(args[0]); err != nil {
		return systemd.Mount{}, err
	}
	if m.Where, err = parsePlace(args[1]); err != nil {
		return systemd.Mount{}, err
	}
	if m.Type = args[2]; m.Type == "none" {
		m.Type = "" // what bind mounts are written with
	}
	m.Options = args[3]
	m.Force = slices.Contains(remote, m.Type)
	if strings.ContainsAny(m.Type, "/ ,=") {
		return systemd.Mount{}, fmt.Errorf("%q is not a type of file system: %s takes %s", m.Type, s.Name, form)
	}
	for _, text := range []string{m.What, m.Where, m.Type, m.Options} {
		if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xfffd }) {
			return systemd.Mount{}, fmt.Errorf("%q has characters that cannot be printed", text)
		}
	}
	return m, nil
}

// remote are the types that the agent unmounts by force: their server may be
// gone.
var remote = []string{"nfs", "nfs4", "cifs", "smbfs", "efs"}

// parsePlace reads a mount point. The root of everything cannot be one: to stop
// it would be to end every process.
func parsePlace(text string) (string, error) {
	place := path.Clean(text)
	switch {
	case !strings.HasPrefix(text, "/"):
		return "", fmt.Errorf("%q is not a mount point: write its whole path, as in /srv/data", text)
	case place == "/":
		return "", fmt.Errorf("%q cannot be given up: it is the root of everything", text)
	case strings.ContainsFunc(place, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xfffd }):
		return "", fmt.Errorf("%q has characters that cannot be printed", text)
	case len(systemd.MountUnit(place)) > 255:
		return "", fmt.Errorf("%s is too long for the name of a unit", place)
	}
	return place, nil
}

// links are the directories in which udev names devices by what is on them.
var links = map[string]string{
	"-L": "/dev/disk/by-label/", "--label": "/dev/disk/by-label/", "LABEL": "/dev/disk/by-label/",
	"-U": "/dev/disk/by-uuid/", "--uuid": "/dev/disk/by-uuid/", "UUID": "/dev/disk/by-uuid/",
	"PARTLABEL": "/dev/disk/by-partlabel/", "PARTUUID": "/dev/disk/by-partuuid/",
}

func parseDevice(text string) (string, error) {
	tag, name, found := strings.Cut(text, "=")
	if !found && strings.HasPrefix(text, "-") && len(text) > 2 {
		tag, name, found = text[:2], text[2:], true
	}
	if dir := links[tag]; found && dir != "" {
		name = strings.Trim(strings.TrimSpace(name), `"`)
		if name == "" {
			return "", fmt.Errorf("%q names no device: write a label or UUID behind it, as in -Ldata", text)
		}
		return dir + udevName(name), nil
	}
	switch {
	case text == "":
		return "", fmt.Errorf("a device is missing: Filesystem takes %s", form)
	case strings.HasPrefix(text, "-"):
		return "", fmt.Errorf("%q is not an option that names a device: those are -L with a label and -U with a UUID, as in -Ldata", text)
	}
	return text, nil
}

// udevName is a label as udev writes it into the name of a link: what is not
// harmless by its hexadecimal number (encode_devnode_name in systemd's
// src/basic/device-nodes.c).
func udevName(label string) string {
	var b strings.Builder
	for _, r := range []byte(label) {
		if r >= 0x80 || strings.IndexByte("#+-.:=@_", r) >= 0 || '0' <= r && r <= '9' || 'a' <= r|0x20 && r|0x20 <= 'z' {
			b.WriteByte(r)
		} else {
			fmt.Fprintf(&b, `\x%02x`, r)
		}
	}
	return b.String()
}
