package main

import (
	"cmp"
	"log/slog"
	"os"

	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/delay"
	"github.com/systole-ha/systole/resources/drbd"
	"github.com/systole-ha/systole/resources/filesystem"
	"github.com/systole-ha/systole/resources/ipaddr"
	"github.com/systole-ha/systole/resources/mail"
	"github.com/systole-ha/systole/resources/mark"
	"github.com/systole-ha/systole/resources/portblock"
	"github.com/systole-ha/systole/resources/process"
	"github.com/systole-ha/systole/resources/srcaddr"
	"github.com/systole-ha/systole/resources/systemd"
)

// withScriptsBuiltIn adds the drivers of what heartbeat has scripts for and
// systole does by itself. Runner runs the programs that some of them need; what
// fails after the order that it belongs to had succeeded goes to the log.
func (r registry) withScriptsBuiltIn(units *systemd.Driver, runner process.Runner, log *slog.Logger) registry {
	marks := mark.In(mark.Dir)
	log = cmp.Or(log, slog.Default())
	tell := func(message string) func(resources.Spec, error) {
		return func(s resources.Spec, err error) { log.Warn(message, "resource", s.String(), "err", err) }
	}
	tellEnded := func(s resources.Spec, ended string) {
		log.Warn("processes were ended that kept a file system from being unmounted", "resource", s.String(), "processes", ended)
	}
	return r.
		with("filesystem", filesystem.New(units, runner, []string{self(), endHolders}, tellEnded), "Filesystem").
		with("drbd", drbd.New(runner), "drbddisk", "datadisk", "drbdupper").
		with("mail", mail.New(marks, runner, tell("a mail about a resource was not sent")), "MailTo").
		with("sendarp", ipaddr.NewSendArp(marks, tell("an address was not announced again")), "SendArp").
		with("srcaddr", srcaddr.New(marks), "IPsrcaddr").
		with("portblock", portblock.New(marks), "portblock").
		with("delay", delay.New(marks), "Delay")
}

// self is the path of this program.
func self() string {
	path, err := os.Executable()
	if err != nil {
		return os.Args[0] // without /proc little else works
	}
	return path
}
