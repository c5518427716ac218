# All commands of the project; `make` alone lists them.
SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
export CGO_ENABLED := 0
# HTTP/2, which net/http would bring and nothing here speaks, is 0.5 MB.
export GOFLAGS     := $(shell go env GOFLAGS) -tags=nethttpomithttp2
# A program with the race detector would stay for a second when it ends, and the
# tests start hundreds.
export GORACE      := atexit_sleep_ms=10
export LVSD_BIN    := $(CURDIR)/bin/lvsd

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION)
# lvsd begins with instructions of its own, for signals and memory (internal/orders).
ENTRY   := $(if $(filter amd64 arm64,$(shell go env GOARCH)),-E lvsd_entry)
LAB     := $(CURDIR)/bin/lab
# The lab's kernel: the one at hand where it has IPVS and user-mode Linux
# elsewhere (auto), or here, uml, or Debian's own, emulated (qemu).
KERNEL  ?= auto
# Tests that need a kernel with IPVS, and those that need many turns.
ON_IPVS := ./integration ./integration/cluster ./integration/modules ./ipvsctl/kernel ./internal/tuning
# Those of them that two processors matter for, or a kernel with all modules.
SMP     := TestReal|TestTheKernelsOwn|TestAdverts|TestKeepalivedIsThePeer/lvsd_before_keepalived$$|TestAReloadWrites|TestReadmes|TestRoutersInAVRF|TestServicesOfMarked
# With -short, what takes long is left to make integration.
# Those of who holds an address, and since when. They take about half of the time, so
# they have one lab, and all others a second one beside it, on another processor.
HOLDERS := TestA(DirectorStands|Flood|Master|MoveFrom|nInterface|nOperator|Pair|Returning)|TestAdverts|TestExactlyOne|TestKeepalived
# Tests of bounds that do not hold under the race detector, which skips them, and
# simulations, of which it runs only a few seeds.
BOUNDS  := IsSmall|IsCheap|ABombIs|Sim(C[a-z]*|SyncGroup)$$
SIM     := ./internal/sim ./ipvsctl
FUZZ    ?= 20s
RUNS    ?= 20000
MUTATE  ?= vrrp checker ipvsctl internal/director

# say prints the name of a step after the seconds since the start.
BEGIN := $(shell date +%s)
say    = @printf '== %3ds  %s\n' "$$(($$(date +%s) - $(BEGIN)))"

.PHONY: help
help: ## List these commands
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile | expand -t 20

.PHONY: demo
demo: build ## Run a cluster and break it, step by step; KEEP=1 ends in a shell in it
	@integration/packages demo
	@$(LAB) -timeout $(if $(KEEP),24h,5m) -- bin/demo -lvsd $(LVSD_BIN) $(if $(KEEP),-keep)

.PHONY: test
test: ## Run all checks and tests; installs what they need
	@integration/packages test
	$(say) 'formatting'
	@unformatted=$$(go list -f '{{.Dir}}' ./... | xargs gofmt -l); \
	  [ -z "$$unformatted" ] || { echo "not formatted (run gofmt -w):"; echo "$$unformatted"; exit 1; }
	$(say) 'go vet'
	@go vet ./...
	$(say) 'staticcheck'
	@go tool staticcheck ./...
	@$(MAKE) --no-print-directory build BEGIN=$(BEGIN)
	$(say) 'unit tests and simulation, with the race detector'
	@CGO_ENABLED=1 go test -race -count 1 -p 3 ./integration/systemd ./... # the first takes longest, and some mostly wait
	$(say) 'bounds, what exceeds them, and 2,000 seeds of each simulation, without it'
	@go test -count 1 -run '$(BOUNDS)' ./internal/config ./internal/reader ./internal/sim
	$(say) 'integration tests, on a kernel with IPVS'
	@$(MAKE) --no-print-directory -k -Otarget -j$$(nproc) holders others
	@[ "$$(uname -m)" != x86_64 ] || $(MAKE) --no-print-directory smp BEGIN=$(BEGIN)

.PHONY: holders others
holders: ON = -run '$(HOLDERS)' ./integration
others: ON = -skip '$(HOLDERS)' $(ON_IPVS)
holders others:
	@go test -p 1 -short -count 1 -timeout 10m -exec '$(LAB) -timeout 10m --' $(ON)

.PHONY: smp
smp: build ## Run some of the tests on an emulated machine with two processors
	@integration/packages test
	$(say) 'some of them on two processors, on an emulated machine'
	@CGO_ENABLED=1 go test -race -c -o bin/race/ ./integration ./ipvsctl/kernel ./internal/keeper
	@$(LAB) -kernel qemu -timeout 5m -- sh -ec 'cd ipvsctl/kernel; ../../bin/race/kernel.test -test.run "$$0"; \
	  cd ../../internal/keeper; ../../bin/race/keeper.test -test.run "$$0"; \
	  cd ../../integration; ../bin/race/integration.test -test.short -test.run "$$0"' '$(SMP)'

.PHONY: unit
unit: ## Run only the unit tests
	@go test ./...

.PHONY: imported
imported: build ## Run what is imported beside keepalived, ldirectord and ipvsadm themselves; RUN=ldirectord selects
	@integration/packages imported
	@go test -count 1 -v -timeout 15m -exec '$(LAB) -timeout 15m --' ./integration -run 'TestWhatIsImportedDoesWhatThePeerDoes/$(RUN)' -imported

.PHONY: dropped
dropped: ## Import 10,000 generated configurations of each program, or GENERATED=100, and huge files
	@go test -count 1 -timeout 30m ./internal/importer/keepalived ./internal/importer/ldirectord ./internal/importer/ipvsadm ./internal/importer/heartbeat \
	  -run TestNothingIsDropped -generated $(or $(GENERATED),10000)
	@go test -count 1 -timeout 30m ./internal/importer/convert -run TestHuge -huge

.PHONY: integration
integration: build ## Run the tests that need IPVS, and without RUN all kinds of checks; RUN=Name and KERNEL=qemu select
	@[ -n "$(RUN)" ] || $(MAKE) --no-print-directory kinds
	@integration/packages test
	@go test -p 1 -count 1 -v -timeout 20m -exec '$(LAB) -kernel $(KERNEL) -timeout 20m --' $(if $(RUN),-run '$(RUN)') $(ON_IPVS)

.PHONY: kinds
kinds: ## Run each kind of check against Debian's servers; RUN=redis selects
	@integration/packages kinds
	@CGO_ENABLED=1 go test -race -count 1 -v -timeout 20m ./integration/kinds -run 'TestServers/$(RUN)' -all

.PHONY: interop
interop: build ## Run lvsd beside keepalived and FRR, in all modes; RUN=Peers/keepalived_2 selects
	@integration/packages interop
	@go test -count 1 -v -timeout 15m ./integration -run '$(or $(RUN),TestPeers|TestASyncGroup|TestTshark)' -peers

.PHONY: ipvsadm
ipvsadm: build ## Give RUNS=20000 command lines to ipvsadm and to lvsd ipvs, and compare
	@integration/packages test
	@go test -count 1 -v -timeout 60m -exec '$(LAB) -kernel $(KERNEL) -timeout 60m --' ./integration -run 'TestIpvsadm$$' -commands $(RUNS)

.PHONY: sim
sim: ## Run the simulations at length, with RUNS=20000 seeds
	@for p in $(SIM); do go test -count 1 -timeout 0 -run 'Sim|Chaos' $$p -runs $(RUNS); done

.PHONY: mutate
mutate: ## Change the core and check that its tests notice; MUTATE=ipvsctl or MUTATE=vrrp/packet.go selects
	@go test -count 1 -timeout 0 -v ./internal/arch -run TestMutants -mutate '$(MUTATE)'

.PHONY: mutations
mutations: ## Break election, hand-over, groups and keys as a list says, and check that the tests notice
	@go test -count 1 -timeout 0 -v ./internal/arch -run TestListedMutations$(if $(RUN),/'$(RUN)') -listed | grep -v '^=== '

.PHONY: fuzz
fuzz: ## Run each fuzzer for FUZZ=20s
	@grep -roE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' . | while IFS=: read -r file f; do \
	  go test -run '^$$' -fuzz "^$${f#func }\$$" -fuzztime $(FUZZ) "$${file%/*}" </dev/null || exit; done

.PHONY: bench
bench: build ## Measure lvsd and keepalived; PARTS=table,checks and KERNEL=qemu select; TIMES=11, FLOOD=60s
	@integration/packages test
	@bin/bench -lvsd $(LVSD_BIN) -lab $(LAB) -kernel $(KERNEL) $(if $(PARTS),-parts $(PARTS)) $(if $(TIMES),-runs $(TIMES)) $(if $(FLOOD),-flood $(FLOOD))

.PHONY: build
build: ## Build bin/lvsd (static) and the programs of the tests
	$(say) 'build $(VERSION)'
	@go build -trimpath -ldflags '$(LDFLAGS) $(ENTRY)' -o bin/ ./cmd/lvsd
	@go build -trimpath -ldflags '$(LDFLAGS)' -o bin/ $(patsubst %,./%,$(wildcard integration/lab integration/demo integration/bench))
	@packaging/licences.sh >bin/copyright

.PHONY: install
install: build ## Install the binary, unit, manuals, completions and examples, below DESTDIR
	@packaging/install.sh $(LVSD_BIN)

.PHONY: uninstall
uninstall: ## Remove what make install has installed, with the same DESTDIR and PREFIX
	@packaging/install.sh --uninstall

# Without a tag, a version of the day, which every release is newer than.
PACKAGE_VERSION := $(shell git describe --tags 2>/dev/null | sed 's/^v//; s/-/+/g' | grep . || \
  git log -1 --format=0~%cd.%h --date=format:%Y%m%d%H%M%S)

.PHONY: deb rpm
deb: build ## Build a package for Debian, in bin/
rpm: build ## Build a package for systems with RPM, in bin/
deb rpm:
	@rm -f bin/*.$@
	@packaging/package.sh $@ $(LVSD_BIN) '$(PACKAGE_VERSION)' bin

.PHONY: clean
clean: ## Remove everything that was built
	@rm -rf bin
