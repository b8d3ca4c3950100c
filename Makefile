# make demo   shows the main job on the bundled repository
# make test   runs every test, the slow ones and the race detector included
# make build  builds ./sallyport

GO      ?= go
LDFLAGS := -s -w

.PHONY: build demo test quick vet controlplane bench generate generated docs image clean

build:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o sallyport ./cmd/sallyport

# The demo repository holds mistakes on purpose: check exits with 1, and that is
# the demonstration.
demo: build
	@./sallyport check testdata/demo -o text; code=$$?; \
	if [ $$code -ne 1 ]; then echo "expected findings (exit 1), got exit $$code" >&2; exit 1; fi

vet:
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet ./...

# quick is for the edit loop: no peers are built, no Kubernetes is started, nothing
# is raced.
quick:
	$(GO) test -short ./...

# controlplane builds the Kubernetes that tests start, so that no test's time is
# spent on it: 6 minutes of processor time the first time, and 2 for vet. The flags of
# both must be the same, or everything is compiled twice; see testdata/controlplane.
controlplane:
	$(GO) test -count=1 -timeout 60m -run '^TestBuild$$' ./testdata/controlplane
	CGO_ENABLED=0 $(GO) vet -C testdata/e2e -trimpath -buildvcs=false ./...

# The race detector runs the short tests of everything, and in full the ones that
# compare the reports of 1 and 8 workers.
test: vet controlplane
	$(GO) test -timeout 40m ./... ./testdata/peer ./testdata/fleet ./testdata/controlplane
	$(GO) test -C deploy/image -timeout 20m ./...
	$(GO) test -timeout 40m -race -short -skip OneOrder ./...
	$(GO) test -timeout 20m -race -run 'OneOrder' ./cmd/sallyport

# generated proves that the embedded schemas are what the generator makes; it
# downloads the modules that they are made from.
generated:
	$(GO) test -C validate/gen ./...

bench:
	$(GO) test -run '^$$' -bench . -benchmem ./...

# generate rebuilds the embedded schemas from the module proxy.
generate:
	$(GO) generate ./validate

# docs rewrites the pages that are made from the code.
docs:
	mkdir -p docs
	$(GO) test ./cmd/sallyport -run TestDocs -update

# image writes dist/oci and dist/sallyport-oci.tar, without Docker.
image:
	$(GO) run -C deploy/image . -source ../.. -o $(CURDIR)/dist

clean:
	rm -rf sallyport dist
