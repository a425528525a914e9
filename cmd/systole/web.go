package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/exporter-toolkit/web"
	"golang.org/x/net/netutil"

	"github.com/systole-ha/systole/agent/control"
	"github.com/systole-ha/systole/exporters/metrics"
)

// The bounds of what others can do to the daemon by HTTP.
const (
	maxWebConnections = 256              // a quarter of the file descriptors of a process that was given no more than usual
	webHeaderTime     = 5 * time.Second  // for a request to arrive
	webAnswerTime     = 30 * time.Second // for an answer to be made and taken, over a slow line too
	webIdleTime       = time.Minute      // of a connection between two requests: more than most scrape intervals
	webHeaderBytes    = 16 << 10
	askTime           = time.Second // for the loop to take its turn
	askInterval       = time.Second // between two askings of the loop, however many want to know
)

// serveWeb serves the metrics, the health of the daemon and its page. A failure
// is said and changes nothing else.
func (d *daemon) serveWeb(ctx context.Context, m *metrics.Metrics, server *control.Server, n node) {
	if d.cfg.Web.ListenAddress == "" {
		return
	}
	if err := d.listenWeb(ctx, webHandler(m.Handler(), webStatus(server, n))); err != nil && !errors.Is(err, http.ErrServerClosed) {
		d.log.Error("metrics are not served", "address", d.cfg.Web.ListenAddress, "err", err)
	}
}

func (d *daemon) listenWeb(ctx context.Context, h http.Handler) error {
	listener, err := net.Listen("tcp", d.cfg.Web.ListenAddress)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: webHeaderTime, ReadTimeout: webHeaderTime,
		WriteTimeout: webAnswerTime, IdleTimeout: webIdleTime, MaxHeaderBytes: webHeaderBytes,
	}
	defer context.AfterFunc(ctx, func() { server.Close() })()
	flags := &web.FlagConfig{WebConfigFile: &d.cfg.Web.ConfigFile}
	return web.Serve(netutil.LimitListener(listener, maxWebConnections), server, flags, d.log)
}

// webHandler knows the paths; whatever else is asked for is not found, and who
// would change something is told that this cannot be done here.
func webHandler(metrics http.Handler, pages *feed[*webPage]) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics)
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "systole is healthy.") })
	mux.Handle("GET /-/ready", ready(pages))
	mux.Handle("GET /{$}", serve(pages, func(p *webPage) []byte { return p.whole() }))
	mux.Handle("GET /board", serve(pages, func(p *webPage) []byte { return p.inside() }))
	mux.Handle("GET /web/page.css", serveFile("page.css", "text/css; charset=utf-8"))
	mux.Handle("GET /web/page.js", serveFile("page.js", "text/javascript; charset=utf-8"))
	return mux
}

// ready says whether the loop, which does all the work, takes its turn.
func ready(pages *feed[*webPage]) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch page, err := pages.get(r.Context()); {
		case err != nil: // who asked has gone
		case page.err != nil:
			http.Error(w, fmt.Sprintf("systole is not ready: %v", page.err), http.StatusServiceUnavailable)
		default:
			fmt.Fprintln(w, "systole is ready.")
		}
	})
}
