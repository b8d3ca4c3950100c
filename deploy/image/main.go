// Command image builds the container image of sallyport without Docker: an OCI
// layout and the same as one tar file, for every platform, byte for byte the
// same from the same commit and toolchain.
//
// The image holds one static binary, certificates, two lines of /etc/passwd and
// an empty /tmp: no shell, no package manager, and no git, since the job
// fetches with a library.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

type options struct {
	source    string   // root of the main module
	out       string   // directory; what an earlier run left there is replaced
	reference string   // name of the image in the index
	platforms []string // os/arch
	modified  time.Time
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func run() error {
	opts := options{}
	flag.StringVar(&opts.source, "source", "../..", "root of the repository")
	flag.StringVar(&opts.out, "o", "dist", "directory to write to")
	flag.StringVar(&opts.reference, "reference", "sallyport:dev", "name of the image")
	platforms := flag.String("platforms", "linux/amd64,linux/arm64", "platforms, separated by commas")
	flag.Parse()
	opts.platforms = strings.Split(*platforms, ",")

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	if opts.modified, err = modified(ctx, opts.source); err != nil {
		return err
	}
	digest, err := build(ctx, opts)
	if err != nil {
		return err
	}
	fmt.Printf("%s\n  %s\n  %s\n", digest, filepath.Join(opts.out, layoutName), filepath.Join(opts.out, archiveName))
	return nil
}

// modified is the time that every file in the image carries: SOURCE_DATE_EPOCH
// (reproducible-builds.org), else that of the commit.
func modified(ctx context.Context, source string) (time.Time, error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		cmd := exec.CommandContext(ctx, "git", "-C", source, "log", "-1", "--format=%ct")
		out, err := cmd.Output()
		if err != nil {
			return time.Time{}, fmt.Errorf("time of the commit: %w (set SOURCE_DATE_EPOCH outside a Git repository)", err)
		}
		text = strings.TrimSpace(string(out))
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH: %q is not a number of seconds", text)
	}
	return time.Unix(seconds, 0).UTC(), nil
}
