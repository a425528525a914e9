package main

import (
	"log/slog"

	"github.com/systole-ha/systole/resources"
	"github.com/systole-ha/systole/resources/delay"
	"github.com/systole-ha/systole/resources/ipaddr"
	"github.com/systole-ha/systole/resources/mark"
	"github.com/systole-ha/systole/resources/portblock"
	"github.com/systole-ha/systole/resources/srcaddr"
)

// withScriptsBuiltIn adds the drivers of what heartbeat has scripts for and
// systole does by itself.
func (r registry) withScriptsBuiltIn() registry {
	marks := mark.In(mark.Dir)
	return r.
		with("sendarp", ipaddr.NewSendArp(marks, tell("an address was not announced again")), "SendArp").
		with("srcaddr", srcaddr.New(marks), "IPsrcaddr").
		with("portblock", portblock.New(marks), "portblock").
		with("delay", delay.New(marks), "Delay")
}

// tell logs what has failed after the order that it belongs to had succeeded.
func tell(message string) func(resources.Spec, error) {
	return func(s resources.Spec, err error) { slog.Warn(message, "resource", s.String(), "err", err) }
}
