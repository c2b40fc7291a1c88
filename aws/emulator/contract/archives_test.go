package contract

import (
	"archive/zip"
	"bytes"
	"encoding/json"
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

// sameJSON reports whether two texts hold the same value.
func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}
