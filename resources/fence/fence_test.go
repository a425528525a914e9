package fence

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// agent is a fence agent of the test's own: a shell script.
func agent(t *testing.T, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fence_test")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestAFenceAgentIsTold(t *testing.T) {
	told := filepath.Join(t.TempDir(), "told")
	save := "cat >" + told + "; [ $# = 0 ]"
	for _, tt := range []struct {
		name   string
		device Device
		action Action
		want   string
	}{
		{"the action and the node, as nodename and as plug", Device{}, Off, "action=off\nnodename=beta\nplug=beta\n"},
		{"the device's own name for the node where that is configured",
			Device{Parameters: []Parameter{{"plug", "7"}}}, Reboot, "action=reboot\nnodename=beta\nplug=7\n"},
		{"also by the old word for it", Device{Parameters: []Parameter{{"port", "7"}}}, Monitor, "action=monitor\nnodename=beta\nport=7\n"},
		{"parameters as they are, secret ones too",
			Device{Parameters: []Parameter{{"ip", "192.0.2.1"}, {"ssh_options", "-4 -o X=y"}}, Secrets: NewSecrets([]Parameter{{"password", "a=b c"}})},
			Off, "action=off\nnodename=beta\nplug=beta\npassword=a=b c\nip=192.0.2.1\nssh_options=-4 -o X=y\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.device.Node, tt.device.Agent = "beta", agent(t, save)
			if err := tt.device.Do(within(t, time.Minute), tt.action); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(told)
			if err != nil || string(got) != tt.want {
				t.Errorf("the agent was told (%v)\n got %q\nwant %q", err, got, tt.want)
			}
		})
	}
}

func TestNothingButSuccessIsSuccess(t *testing.T) {
	for _, tt := range []struct{ name, script, want string }{
		{"an agent that fails says why", "echo powering off; echo 'Unable to connect' >&2; echo >&2; exit 1", "exit status 1: Unable to connect"},
		{"or says so where it should not", "echo no such plug; exit 3", "exit status 3: no such plug"},
		{"or says nothing", "exit 2", "exit status 2"},
		{"or is killed", "kill -9 $$", "signal: killed"},
		{"what it repeats of a secret is not repeated", "echo login as root:hunter2 failed >&2; exit 1", "login as root:*** failed"},
		{"a flood is cut", "yes 'a long complaint' | head -c 10000000; echo end; exit 1", "exit status 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := Device{Node: "beta", Agent: agent(t, "cat >/dev/null\n"+tt.script), Secrets: NewSecrets([]Parameter{{"password", "hunter2"}})}
			err := d.Do(within(t, time.Minute), Off)
			if err == nil || !strings.Contains(err.Error(), tt.want) || len(err.Error()) > 500 {
				t.Errorf("Do said %v, want %q", err, tt.want)
			}
		})
	}
	missing := Device{Node: "beta", Agent: "fence_nobody_has_written"}
	if err := missing.Do(t.Context(), Off); !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("an agent that is not there: %v", err)
	}
	if err := (Device{Node: "beta", Agent: Manual}).Do(t.Context(), Off); !errors.Is(err, ErrManual) {
		t.Errorf("the manual device: %v", err)
	}
	if err := (Device{Node: "beta", Agent: Null}).Do(t.Context(), Off); err != nil {
		t.Errorf("the null device: %v", err)
	}
}

// TestNothingOutlivesTheCall has agents that hang, and that leave something
// behind which hangs and does not want to be ended.
func TestNothingOutlivesTheCall(t *testing.T) {
	for _, tt := range []struct {
		name, script string
		hangs        bool
	}{
		{"an agent that hangs", "sleep 1000", true},
		{"one that will not end either", "while :; do sleep 1000; done", true},
		{"a child of one that hangs", "(sleep 1000) & wait", true},
		{"a child of one that succeeds", "sleep 1000 & exit 0", false},
		{"a child that has let go of the output", "sleep 1000 >/dev/null 2>&1 & exit 0", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			group := filepath.Join(t.TempDir(), "group")
			d := Device{Node: "beta", Agent: agent(t, "trap '' TERM; echo $$ >"+group+"\n"+tt.script)}
			ctx := within(t, time.Minute)
			if tt.hangs {
				ctx = reached(t, group)
			}
			began := time.Now()
			if err := d.Do(ctx, Off); tt.hangs != errors.Is(err, context.Canceled) || !tt.hangs && err != nil {
				t.Errorf("Do said %v", err)
			}
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("took %v", took)
			}
			text, _ := os.ReadFile(group)
			pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
			if err != nil {
				t.Fatal(err)
			}
			// A killed process is there until its parent, by now init, has seen it.
			for began := time.Now(); !errors.Is(unix.Kill(-pid, 0), syscall.ESRCH); {
				if time.Since(began) > 20*time.Second {
					t.Fatalf("the group of %d still lives", pid)
				}
				if onlyZombies(t, pid) {
					return
				}
			}
		})
	}
}

// reached is a context that ends once the file has been written.
func reached(t *testing.T, file string) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer cancel()
		for ctx.Err() == nil {
			if text, _ := os.ReadFile(file); len(text) > 0 {
				return
			}
		}
	}()
	return ctx
}

// onlyZombies reports whether nothing of a process group runs any more: where
// no init takes over, the dead stay.
func onlyZombies(t *testing.T, group int) bool {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range stats {
		text, _ := os.ReadFile(file)
		_, rest, _ := strings.Cut(string(text), ") ")
		var state string
		var parent, pgrp int
		if n, _ := fmt.Sscan(rest, &state, &parent, &pgrp); n == 3 && pgrp == group && state != "Z" {
			return false
		}
	}
	return true
}
