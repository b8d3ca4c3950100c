# make demo   shows the main job on the bundled repository
# make test   runs every test, the slow ones and the race detector included
# make build  builds ./sallyport

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)

.PHONY: build demo test quick vet bench generate docs clean

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

# quick is for the edit loop: no peers are built, nothing is raced.
quick:
	$(GO) test -short ./...

test: vet
	$(GO) test -timeout 30m ./...
	$(GO) test -timeout 30m -race -short ./...

bench:
	$(GO) test -run '^$$' -bench . -benchmem ./...

# generate rebuilds the embedded schemas from the module proxy.
generate:
	$(GO) run -C validate/gen .

# docs rewrites the pages that are made from the code.
docs:
	$(GO) test ./cmd/sallyport -run TestDocs -update

clean:
	rm -rf sallyport dist
