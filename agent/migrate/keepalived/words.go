package keepalived

import (
	"slices"
	"strings"

	"github.com/systole-ha/systole/agent/config"
	"github.com/systole-ha/systole/agent/migrate"
)

// A treatment is what becomes of a keyword that is not carried over.
type treatment struct {
	weight  migrate.Weight
	text    string
	instead string
}

func lost(text, instead string) treatment { return treatment{migrate.Lost, text, instead} }
func differs(text string) treatment       { return treatment{migrate.Differs, text, ""} }
func moot(text string) treatment          { return treatment{migrate.Moot, text, ""} }

// What has no place in systole's files, and why.
var (
	mail      = lost("no mails are sent", "write webhook or alertmanager in systole.yaml (docs/configuration.md)")
	announced = differs("an address is announced when it is taken, and again after 0.1, 1 and 5 s, and after a conflict or a standstill; it is not refreshed for ever")
	ofVRRP    = moot("of VRRP's packets, which systole does not send")
	ofDaemon  = moot("of keepalived's processes")
	ofLVS     = lost("LVS is not done here", "let keepalived go on with virtual_server alone (systemctl stop keepalived, remove vrrp_* from its file, start it again), or run ldirectord; systole moves the address")
	routes    = lost("routes and rules do not move", "write a oneshot unit that runs ip route add, and ip route del to stop, with RemainAfterExit=yes, and name it behind the address in haresources")
	onSystem  = lost("is not configured by systole", "write it where this machine's network is configured")
	watched   = lost("files and BFD sessions are not watched", "a script that decides may run hb_standby and hb_takeover")
	firewall  = lost("packet filters are not written", "write them in nftables.conf")
)

// topWords are blocks beside vrrp_instance.
var topWords = map[string]treatment{
	"virtual_server": ofLVS, "virtual_server_group": ofLVS, "real_server": ofLVS, "SSL": ofLVS,
	"static_ipaddress": onSystem, "static_routes": onSystem, "static_rules": onSystem, "track_group": onSystem,
	"track_file": watched, "vrrp_track_file": watched, "bfd_instance": watched,
	"garp_group": announced, "linkbeat_interfaces": moot("carriers are watched over netlink"), "linkbeat_use_polling": moot("carriers are watched over netlink"),
	"interface_up_down_delays": differs("a carrier that is lost counts at once"),
	"net_namespace":            lost("systole runs where it is started", "set NetworkNamespacePath= in the unit: systemctl edit systole"),
	"net_namespace_ipvs":       ofLVS, "namespace_with_ipsets": ofDaemon,
	"instance": lost("one systole runs on a machine", ""), "use_pid_dir": ofDaemon, "child_wait_time": ofDaemon,
}

// globalWords are those of global_defs. Words that begin alike stand once, with
// a * at the end.
var globalWords = map[string]treatment{
	"notification_email": mail, "notification_email_from": mail, "smtp_*": mail, "no_email_faults": mail,
	"router_id":               moot("a node is called what uname -n prints"),
	"vrrp_mcast_group4":       ofVRRP,
	"vrrp_mcast_group6":       ofVRRP,
	"vrrp_garp_*":             announced,
	"vrrp_gna_*":              announced,
	"vrrp_skip_check_*":       ofVRRP,
	"vrrp_strict":             ofVRRP,
	"vrrp_check_unicast_src":  ofVRRP,
	"vrrp_lower_prio_*":       ofVRRP,
	"vrrp_higher_prio_*":      ofVRRP,
	"vrrp_rx_bufs_*":          ofVRRP,
	"vrrp_ipv6_*":             ofVRRP,
	"script_user":             moot("systole runs no scripts of these"),
	"enable_script_security":  moot("systole runs no scripts of these"),
	"script_security":         moot("systole runs no scripts of these"),
	"max_auto_priority":       moot("systole asks for real time by itself"),
	"min_auto_priority_delay": moot("systole asks for real time by itself"),
	"vrrp_priority":           moot("systole asks for real time by itself"),
	"vrrp_rt_*":               moot("systole asks for real time by itself: realtime and rtprio in ha.cf"),
	"vrrp_no_swap":            moot("systole locks its memory by itself"),
	"vrrp_rlimit_*":           ofDaemon,
	"vrrp_cpu_affinity":       ofDaemon,
	"vrrp_process_name":       ofDaemon,
	"checker_*":               ofLVS, "lvs_*": ofLVS, "bfd_*": watched, "nftables*": firewall, "vrrp_iptables": firewall, "vrrp_ipsets": firewall,
	"dynamic_interfaces":      moot("interfaces that come later are waited for"),
	"allow_if_changes":        moot("interfaces that come later are waited for"),
	"startup_script":          lost("no script runs at the start of the daemon", "write ExecStartPre=, by systemctl edit systole"),
	"shutdown_script":         lost("no script runs at the end of the daemon", "write ExecStopPost=, by systemctl edit systole"),
	"startup_script_timeout":  moot("of startup_script"),
	"shutdown_script_timeout": moot("of shutdown_script"),
	"vrrp_notify_fifo*":       lost("there is no FIFO", "systole events --follow --json says all that happens, and webhooks are told"),
	"notify_fifo*":            lost("there is no FIFO", "systole events --follow --json says all that happens, and webhooks are told"),
	"vrrp_notify_priority*":   moot("there are no priorities that change"),
	"enable_snmp_*":           lost("there is no SNMP agent", "Prometheus reads http://NODE:9694/metrics"),
	"snmp_*":                  lost("there is no SNMP agent", "Prometheus reads http://NODE:9694/metrics"),
	"enable_traps":            lost("there is no SNMP agent", "Prometheus reads http://NODE:9694/metrics"),
	"enable_dbus":             lost("there is no D-Bus object", "systole status --json, systole events --json"),
	"dbus_*":                  lost("there is no D-Bus object", "systole status --json, systole events --json"),
	"process_name*":           ofDaemon, "*_process_name": ofDaemon, "tmp_config_directory": ofDaemon, "config_save_dir": ofDaemon,
	"use_symlink_paths": ofDaemon, "include_check": ofDaemon, "reload_*": ofDaemon, "umask": ofDaemon, "instance": ofDaemon,
	"net_namespace": topWords["net_namespace"], "use_pid_dir": ofDaemon, "data_use_instance": ofDaemon, "json_version": ofDaemon,
	"linkbeat_use_polling": topWords["linkbeat_use_polling"], "default_interface": {},
	"disable_local_igmp": ofVRRP, "vrrp_netlink_*": ofDaemon, "process_monitor_*": ofDaemon, "keep_script_*": ofDaemon, "random_seed": ofDaemon,
}

// routerWords are those of vrrp_instance and vrrp_sync_group.
var routerWords = map[string]treatment{
	"authentication":             differs("a password of at most 8 bytes, which VRRP sends in the clear; systole signs every message with a key of its own, in authkeys"),
	"garp_*":                     announced,
	"smtp_alert":                 mail,
	"virtual_routes":             routes,
	"virtual_rules":              routes,
	"use_vmac":                   differs("there is no virtual MAC address: whoever takes an address announces it with the MAC of its own interface"),
	"use_vmac_addr":              moot("of use_vmac"),
	"use_ipvlan":                 lost("addresses are held by the interface itself", ""),
	"vmac_xmit_base":             moot("of use_vmac"),
	"vrf":                        lost("there is no word for it", ""),
	"native_ipv6":                moot("an address says what it is"),
	"mcast_dst_ip":               ofVRRP,
	"track_src_ip":               ofVRRP,
	"check_unicast_src":          ofVRRP,
	"unicast_fault_no_peer":      ofVRRP,
	"unicast_ttl":                ofVRRP,
	"old_unicast_checksum":       ofVRRP,
	"lower_prio_no_advert":       ofVRRP,
	"higher_prio_send_advert":    ofVRRP,
	"skip_check_adv_addr":        ofVRRP,
	"strict_mode":                ofVRRP,
	"kernel_rx_buf_size":         ofVRRP,
	"accept":                     moot("packets to an address that is held are accepted"),
	"no_accept":                  lost("packets to an address that is held are accepted", "write a rule in nftables.conf"),
	"preempt":                    moot("auto_failback on says it"),
	"promote_secondaries":        differs("systole check warns where the sysctl promote_secondaries is off and it matters"),
	"debug":                      moot("systole events --follow shows all that happens"),
	"linkbeat_use_polling":       moot("carriers are watched over netlink"),
	"lvs_sync_daemon_interface":  ofLVS,
	"track_file":                 watched,
	"track_bfd":                  watched,
	"notify_deleted":             moot("haresources is read at the start"),
	"notify_master_rx_lower_pri": lost("no script runs when the peer claims what is held here", "the event split_brain.suspected says it"),
	"notify_priority_changes":    moot("there are no priorities that change"),
	"global_tracking":            moot("of vrrp_sync_group"),
	"sync_group_tracking_weight": moot("of vrrp_sync_group"),
	"track_*":                    watched,
}

// addressWords are words behind a virtual address; "" says nothing.
var addressWords = map[string]string{
	"scope":         "the scope is left to the kernel",
	"peer":          "",
	"home":          "IPv6 addresses are usable at once, without duplicate address detection, and deprecated",
	"-nodad":        "IPv6 addresses are usable at once, without duplicate address detection",
	"mngtmpaddr":    "",
	"noprefixroute": "write /32 (or /128) for an address that is to have no route of its own",
	"autojoin":      "",
	"no_track":      "an address that somebody else removes is put back",
	"track_group":   "",
	"use_vmac":      "there is no virtual MAC address",
	"preferred_lft": "IPv6 addresses are deprecated: they answer, and are never chosen as a source",
}

// look finds a word in a table, also under the beginning or the end that it
// shares with others.
func look(words map[string]treatment, word string) (treatment, bool) {
	if t, ok := words[word]; ok {
		return t, true
	}
	best, found := treatment{}, ""
	for pattern, t := range words {
		prefix, suffix, wild := strings.Cut(pattern, "*")
		if wild && strings.HasPrefix(word, prefix) && strings.HasSuffix(word, suffix) && len(pattern) > len(found) {
			best, found = t, pattern
		}
	}
	return best, found != ""
}

// unmet says what becomes of a statement that is not carried over, or that
// nobody knows: then one of these or of the others may have been meant.
func (c *configuration) unmet(s statement, words map[string]treatment, others ...string) {
	t, ok := look(words, s.keyword())
	switch {
	case ok && t.text == "":
	case ok:
		c.findings = append(c.findings, migrate.Finding{Weight: t.weight, Where: s.line.where(), Word: named(s), Text: t.text, Instead: t.instead})
	default:
		for known := range words {
			if !strings.Contains(known, "*") {
				others = append(others, known)
			}
		}
		hint := config.DidYouMean(s.keyword(), slices.Sorted(slices.Values(others)))
		c.findings = append(c.findings, migrate.Finding{Weight: migrate.Lost, Where: s.line.where(), Word: visible(s.keyword()), Text: "unknown word; keepalived ignores it", Instead: hint})
	}
}

// named is a keyword with the name of its block.
func named(s statement) string {
	if s.open && len(s.words) > 1 {
		return visible(s.keyword() + " " + s.rest(1))
	}
	return visible(s.keyword())
}
