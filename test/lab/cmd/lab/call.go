package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
)

// running gives the directories of the labs that are up.
func running() ([]string, error) {
	sockets, err := filepath.Glob(socket("/run/systole-lab/*"))
	for i := range sockets {
		sockets[i] = filepath.Dir(sockets[i])
	}
	return sockets, err
}

// find gives the directory of the lab that is meant.
func (s *session) find() (string, error) {
	dirs, err := running()
	if err != nil {
		return "", err
	}
	var ids []string
	for _, dir := range dirs {
		if filepath.Base(dir) == s.lab {
			return dir, nil
		}
		ids = append(ids, filepath.Base(dir))
	}
	switch {
	case s.lab != "":
		return "", fmt.Errorf("no lab %s is up; there are: %s", s.lab, strings.Join(ids, " "))
	case len(dirs) == 0:
		return "", errors.New("no lab is up: start one with `lab up`")
	case len(dirs) > 1:
		return "", fmt.Errorf("several labs are up, name one by --lab: %s", strings.Join(ids, " "))
	}
	return dirs[0], nil
}

// call has the running lab carry out a command. When ctx ends the lab is told,
// and what it says then is still printed.
func (s *session) call(ctx context.Context, args []string) error {
	dir, err := s.find()
	if err != nil {
		return err
	}
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: socket(dir), Net: "unix"})
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := json.NewEncoder(conn).Encode(absolute(args)); err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { conn.CloseWrite() })()
	for in := json.NewDecoder(conn); ; {
		var r reply
		if err := in.Decode(&r); err != nil {
			return fmt.Errorf("the lab has gone: %w", err)
		}
		io.WriteString(s.stdout, r.Out)
		switch {
		case r.Error != "" && r.Usage:
			return errUsage(r.Error)
		case r.Error != "":
			return errors.New(r.Error)
		case r.End:
			return nil
		}
	}
}

// absolute makes the files of this machine in a copy or install into paths
// that mean the same to the lab.
func absolute(args []string) []string {
	if (args[0] == "copy" || args[0] == "install") && len(args) > 2 {
		if path, err := filepath.Abs(args[2]); err == nil {
			args = append([]string{args[0], args[1], path}, args[3:]...)
		}
	}
	return args
}
