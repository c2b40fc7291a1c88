package contract

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/json"
	"hash/crc32"
	"io"
	"reflect"
)

// Writing to memory does not fail; what would is a mistake in the checks.
func sure(err error) {
	if err != nil {
		panic(err)
	}
}

// zipped makes an archive of name, content pairs.
func zipped(files ...string) []byte {
	var b bytes.Buffer
	zw := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		w, err := zw.Create(files[i])
		sure(err)
		_, err = io.WriteString(w, files[i+1])
		sure(err)
	}
	sure(zw.Close())
	return b.Bytes()
}

// heavy makes a small archive that unzips to size bytes.
func heavy(size int64) []byte {
	// One mebibyte is deflated, and repeated: each block stands by itself.
	zeros := make([]byte, 1<<20)
	var block, content bytes.Buffer
	fw, err := flate.NewWriter(&block, flate.BestSpeed)
	sure(err)
	_, err = fw.Write(zeros)
	sure(err)
	sure(fw.Flush())
	sum := crc32.NewIEEE()
	rest := size
	for ; rest >= int64(len(zeros)); rest -= int64(len(zeros)) {
		_, _ = content.Write(block.Bytes())
		_, _ = sum.Write(zeros)
	}
	fw.Reset(&content)
	_, err = fw.Write(zeros[:rest])
	sure(err)
	sure(fw.Close())
	_, _ = sum.Write(zeros[:rest])
	var b bytes.Buffer
	zw := zip.NewWriter(&b)
	w, err := zw.CreateRaw(&zip.FileHeader{
		Name: "zeros", Method: zip.Deflate, CRC32: sum.Sum32(),
		CompressedSize64: uint64(content.Len()), UncompressedSize64: uint64(size),
	})
	sure(err)
	_, err = w.Write(content.Bytes())
	sure(err)
	sure(zw.Close())
	return b.Bytes()
}

// sameJSON reports whether two texts hold the same value.
func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}
