package ziptest

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"debug/elf"
	"encoding/binary"
	"hash/crc32"
)

// Zeros makes a small archive of one file that unzips to size bytes.
func Zeros(size int64) []byte {
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

// Program is the head of a Linux program for a machine: enough to tell which.
func Program(m elf.Machine) string {
	b := make([]byte, 64)
	copy(b, elf.ELFMAG)
	b[elf.EI_DATA] = byte(elf.ELFDATA2LSB)
	binary.LittleEndian.PutUint16(b[16:], uint16(elf.ET_EXEC))
	binary.LittleEndian.PutUint16(b[18:], uint16(m))
	return string(b)
}

// sure stops at what can't happen: writing to memory does not fail.
func sure(err error) {
	if err != nil {
		panic(err)
	}
}
