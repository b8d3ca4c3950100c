package main

import (
	"os"

	"github.com/klauspost/compress/zstd"
)

// write puts a file in place.
func write(name string, data []byte) error {
	return os.WriteFile(name, data, 0o644)
}

// writeCompressed writes one zstd frame. One encoder thread at the best level
// with a window over the whole input gives the smallest file, and always the
// same one.
func writeCompressed(name string, data []byte) error {
	encoder, err := zstd.NewWriter(nil,
		zstd.WithEncoderLevel(zstd.SpeedBestCompression),
		zstd.WithEncoderConcurrency(1),
		zstd.WithWindowSize(zstd.MaxWindowSize>>6))
	if err != nil {
		return err
	}
	return write(name, encoder.EncodeAll(data, nil))
}
