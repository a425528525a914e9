package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/systole-ha/systole/agent/arbiter"
	"github.com/systole-ha/systole/agent/config"
	"github.com/systole-ha/systole/agent/wire"
)

// runArbiter is systole arbiter: the third voice of clusters whose nodes do not
// hear each other. keys is a folder with the authkeys of each of them, in a file
// of the cluster's name; SIGHUP reads them again.
func runArbiter(address, keys string, stderr io.Writer) int {
	log := slog.New(slog.NewTextHandler(stderr, nil))
	clusters, err := arbiterKeys(keys)
	if err != nil {
		log.Error("the arbiter is not started", "err", err)
		return runMisconfigured
	}
	local, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		log.Error("no address", "err", err)
		return runMisconfigured
	}
	conn, err := net.ListenUDP("udp", local)
	if err != nil {
		log.Error("nothing can be heard", "err", err)
		return runFailed
	}
	s := arbiter.NewServer(log)
	s.SetClusters(clusters)
	log.Info("the arbiter listens", "address", conn.LocalAddr(), "clusters", len(clusters))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	go func() {
		for sig := range signals {
			if sig != syscall.SIGHUP {
				cancel()
				return
			}
			if clusters, err := arbiterKeys(keys); err != nil {
				log.Error("the keys that were read before stay in use", "err", err)
			} else {
				s.SetClusters(clusters)
				log.Info("the keys were read again", "clusters", len(clusters))
			}
		}
	}()
	if err := s.Serve(ctx, conn); err != nil {
		log.Error("the arbiter ends", "err", err)
		return runFailed
	}
	return runFine
}

// arbiterKeys reads the keys of every cluster in a folder.
func arbiterKeys(dir string) (map[string]*wire.Keyring, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	clusters := map[string]*wire.Keyring{}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") || strings.HasSuffix(e.Name(), "~") || e.IsDir() {
			continue
		}
		auth, diagnostics := config.LoadKeys(os.DirFS(dir), e.Name())
		if err := diagnostics.Err(); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(auth.Keys, func(k config.AuthKey) bool { return k.Method == wire.CRC }) {
			return nil, fmt.Errorf("%s: crc is no protection: whoever can send here could take the vote", e.Name())
		}
		clusters[e.Name()] = auth.Ring
	}
	if len(clusters) == 0 {
		return nil, fmt.Errorf("%s is empty: copy the authkeys of each cluster to a file there that has the cluster's name", dir)
	}
	return clusters, nil
}
