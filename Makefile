# systole: make demo shows what it does, make test proves it.
# Both need root and Debian's packages, which they install (make deps).

GO      ?= go
DESTDIR ?=
PREFIX  ?= /usr
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
COMMON   = github.com/prometheus/common/version
LDFLAGS  = -s -w -X $(COMMON).Version=$(VERSION) \
           -X $(COMMON).Revision=$(shell git rev-parse HEAD 2>/dev/null) \
           -X $(COMMON).Branch=$(shell git rev-parse --abbrev-ref HEAD 2>/dev/null)
BINARIES = systole cl_status hb_standby hb_takeover
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2

.PHONY: all build demo test unit lab observe compare chaos mayhem interop check sim fuzz bench rules netns dashboards docs deps install clean

all: build

build: ## the four binaries, static, in bin/
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/ $(addprefix ./cmd/,$(BINARIES))

demo: deps build ## two nodes, one service, one power cut
	$(GO) run ./test/demo

test: deps build check unit lab ## everything

unit: ## every package but the lab's, with the simulator and the namespaces
	$(GO) test -timeout 10m $$($(GO) list ./... | grep -v /test/)

lab: build ## whole systemd nodes; one test at a time
	$(GO) test -timeout 20m -p 1 ./test/...

observe: build ## ten minutes of everything that befalls a cluster, then every query of every panel and rule: make observe LENGTH=1h; and what the daemon tells held to what is seen
	$(GO) test -count=1 -v -timeout 24h ./test/observe -run 'TestLongRun$$|TestDaemonsWord$$|TestMeasures$$' -strict -length $(or $(LENGTH),10m)

compare: build ## forty takeovers: with everything on that looks on, and with nothing of it
	$(GO) test -count=1 -v -timeout 1h ./test/observe -run 'TestNothingBlocksFailover$$' -takeovers 20

chaos: build ## every fault beside the rivals, into docs/safety.md (an hour), then fifteen minutes of faults at random: make chaos LENGTH=1h SEED=7
	$(GO) test -count=1 -v -timeout 24h ./test/chaos -run 'TestTable$$' -update
	$(MAKE) --no-print-directory mayhem

mayhem: build ## the second part of chaos alone
	$(GO) test -count=1 -v -timeout 24h ./test/chaos -run 'TestRandom$$' -length $(or $(LENGTH),15m) -random $(or $(SEED),0)

interop: build ## systole beside Heartbeat 3.0.6 in nine configurations, and a migration there and back, into docs/compat.md (a quarter of an hour)
	$(GO) test -count=1 -v -timeout 1h ./test/interop -run 'TestMatrix$$|TestMigration$$' -update

check: ## format, vet, staticcheck, tidy, fresh docs
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo 'run gofmt'; exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...
	$(GO) mod tidy -diff

sim: ## the simulator, long: make sim SEEDS=100000, and FROM=40000 to go on where it was interrupted
	$(GO) test ./agent/sim -count=1 -v -timeout 24h -seeds $(or $(SEEDS),10000) -from $(or $(FROM),1)

fuzz: ## each fuzz target for a minute: make fuzz TIME=1h
	@for f in $$(grep -rl '^func Fuzz' --include='*_test.go' .); do \
	  for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9]*\).*/\1/p' $$f); do \
	    echo "== $$(dirname $$f) $$target"; \
	    $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(or $(TIME),60s) -fuzzminimizetime 20x ./$$(dirname $$f) || exit 1; \
	  done; done

bench: ## what things cost
	$(GO) test -run '^$$' -bench . -benchmem ./agent/... ./exporters/... ./resources/...

rules: ## who may import whom
	$(GO) test ./agent -run 'Imports|Pure|Commands|Ideas'

netns: ## what needs network namespaces
	$(GO) test ./agent/link/... ./resources/...

dashboards docs: ## the generated pages
	$(GO) generate ./...

deps: ## Debian packages for the lab; nothing where they are installed
	$(GO) run ./test/lab/cmd/lab deps --install

install: build ## into DESTDIR
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/bin $(DESTDIR)/usr/lib/systemd/system \
	  $(DESTDIR)/usr/lib/systemd/catalog $(DESTDIR)$(PREFIX)/share/doc/systole/examples
	install -m 0755 bin/systole $(DESTDIR)$(PREFIX)/sbin/
	install -m 0755 bin/cl_status bin/hb_standby bin/hb_takeover $(DESTDIR)$(PREFIX)/bin/
	sed 's|@sbindir@|$(PREFIX)/sbin|' packaging/systole.service.in > $(DESTDIR)/usr/lib/systemd/system/systole.service
	sed 's|@sbindir@|$(PREFIX)/sbin|' packaging/systole-release.service.in > $(DESTDIR)/usr/lib/systemd/system/systole-release.service
	sed 's|@sbindir@|$(PREFIX)/sbin|' packaging/systole-arbiter.service.in > $(DESTDIR)/usr/lib/systemd/system/systole-arbiter.service
	install -m 0644 exporters/journal/systole.catalog $(DESTDIR)/usr/lib/systemd/catalog/
	install -m 0644 packaging/examples/* $(DESTDIR)$(PREFIX)/share/doc/systole/examples/

clean:
	rm -rf bin dist
