package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// What is written below the output directory.
const (
	layoutName  = "oci"
	archiveName = "sallyport-oci.tar"
)

// user is nobody's, and the one that restricted Pod Security expects: not root.
const user = "65532"

// build makes the images and writes them, first beside the place where they
// belong, so that a broken run leaves the last good one.
func build(ctx context.Context, opts options) (v1.Hash, error) {
	if err := os.MkdirAll(opts.out, 0o755); err != nil {
		return v1.Hash{}, err
	}
	work, err := os.MkdirTemp(opts.out, ".image-")
	if err != nil {
		return v1.Hash{}, err
	}
	defer os.RemoveAll(work)

	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, platform := range opts.platforms {
		image, at, err := imageFor(ctx, opts, platform, work)
		if err != nil {
			return v1.Hash{}, fmt.Errorf("%s: %w", platform, err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: image,
			Descriptor: v1.Descriptor{Platform: &at, Annotations: map[string]string{
				"org.opencontainers.image.ref.name": opts.reference,
			}},
		})
	}
	dir := filepath.Join(work, layoutName)
	if _, err := layout.Write(dir, index); err != nil {
		return v1.Hash{}, err
	}
	if err := archive(dir, filepath.Join(work, archiveName), opts.modified); err != nil {
		return v1.Hash{}, err
	}
	for _, name := range []string{layoutName, archiveName} {
		final := filepath.Join(opts.out, name)
		if err := os.RemoveAll(final); err != nil {
			return v1.Hash{}, err
		}
		if err := os.Rename(filepath.Join(work, name), final); err != nil {
			return v1.Hash{}, err
		}
	}
	return index.Digest()
}

// imageFor builds the binary for one platform and wraps it.
func imageFor(ctx context.Context, opts options, platform, work string) (v1.Image, v1.Platform, error) {
	goos, arch, ok := strings.Cut(platform, "/")
	if !ok {
		return nil, v1.Platform{}, fmt.Errorf("a platform is os/arch")
	}
	at := v1.Platform{OS: goos, Architecture: arch}
	binary := filepath.Join(work, "sallyport-"+goos+"-"+arch)
	if err := compile(ctx, opts.source, binary, at); err != nil {
		return nil, at, err
	}
	files, err := contents(binary)
	if err != nil {
		return nil, at, err
	}
	layer, err := layerOf(files, opts.modified)
	if err != nil {
		return nil, at, err
	}
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err := mutate.Append(base, mutate.Addendum{Layer: layer, History: v1.History{
		Created: v1.Time{Time: opts.modified}, CreatedBy: "sallyport deploy/image",
	}})
	if err != nil {
		return nil, at, err
	}
	image, err = mutate.ConfigFile(image, configOf(image, at, opts))
	return image, at, err
}

func configOf(image v1.Image, at v1.Platform, opts options) *v1.ConfigFile {
	config, err := image.ConfigFile()
	if err != nil {
		panic(err) // the image was made here, in memory
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = at.OS, at.Architecture
	config.Created = v1.Time{Time: opts.modified}
	config.Config = v1.Config{
		User:       user + ":" + user,
		Entrypoint: []string{"/sallyport"},
		WorkingDir: "/tmp",
		Env:        []string{"PATH=/", "HOME=/tmp"},
		Labels: map[string]string{
			"org.opencontainers.image.title":       "sallyport",
			"org.opencontainers.image.description": "The gate before the merge and the gate before the cluster",
			"org.opencontainers.image.source":      "https://github.com/sallyport/sallyport",
			"org.opencontainers.image.licenses":    "Apache-2.0",
		},
	}
	return config
}

// compile builds a static binary in which no path and no time of this machine
// is left.
func compile(ctx context.Context, source, binary string, at v1.Platform) error {
	binary, err := filepath.Abs(binary)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w -buildid=", "-o", binary, "./cmd/sallyport")
	cmd.Dir = source
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-buildvcs=auto", "GOWORK=off", "GOOS="+at.OS, "GOARCH="+at.Architecture)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("go build: %w", err)
	}
	return nil
}
