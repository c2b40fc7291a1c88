package zipdir_test

import (
	"context"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"unicode"

	"github.com/optlift/optlift/build/zipdir"
	"github.com/optlift/optlift/build/zipdir/ziptest"
)

func flags(f uint16) func(*ziptest.Header)     { return func(h *ziptest.Header) { h.Flags |= f } }
func shift(by int) func(*ziptest.Header)       { return func(h *ziptest.Header) { h.Offset += uint32(by) } }
func rename(name string) func(*ziptest.Header) { return func(h *ziptest.Header) { h.Rename(name) } }

// Every archive here must be refused by Read with the rule, naming the entry.
func TestRefusedByRead(t *testing.T) {
	file, dir, link := ziptest.File, ziptest.Dir, ziptest.Link
	x := file("x", long)
	entries := func(e ...ziptest.Entry) ziptest.Archive { return ziptest.Archive{Entries: e} }
	named := func(name string) ziptest.Archive { return entries(file(name, "")) }
	ended := func(f func(*ziptest.End)) ziptest.Archive {
		return ziptest.Archive{Entries: []ziptest.Entry{x, file("y", "")}, End: f}
	}
	inner := string(ziptest.Bytes(file("inner", "")))
	wide := func(f func(*ziptest.End64)) ziptest.Archive {
		return ziptest.Archive{Wide: true, Entries: []ziptest.Entry{x, file("y", "")}, End64: f}
	}
	tests := []struct {
		name    string
		archive ziptest.Archive
		rule    zipdir.Rule
		entry   string
	}{
		{"duplicate", entries(x, x), zipdir.RuleDuplicate, "x"},
		{"duplicate after cleaning", entries(x, file("./x", "")), zipdir.RuleDuplicate, "./x"},
		{"duplicate directory", entries(dir("d"), dir("d")), zipdir.RuleDuplicate, "d/"},
		{"directory and file of one name", entries(dir("d"), file("d", "")), zipdir.RuleDuplicate, "d"},
		{"two entries for the root", entries(dir("."), dir("./.")), zipdir.RuleDuplicate, "././"},
		{"file with an entry under it", entries(x, file("x/y", "")), zipdir.RuleClash, "x"},
		{"file with an entry deep under it, before it", entries(file("x/y/z", ""), x), zipdir.RuleClash, "x"},
		{"link with an entry under it", entries(link("l", "d"), file("l/y", "")), zipdir.RuleUnderLink, "l"},
		{"link with an entry deep under it, before it", entries(file("l/a/b/c", ""), link("l", "d")), zipdir.RuleUnderLink, "l"},

		{"dot-dot", named("../x"), zipdir.RuleClimb, "../x"},
		{"dot-dot alone", named(".."), zipdir.RuleClimb, ".."},
		{"dot-dot directory", entries(dir("..")), zipdir.RuleClimb, "../"},
		{"dot-dot that stays inside", named("a/../b"), zipdir.RuleClimb, "a/../b"},
		{"dot-dot behind dots", named("./../b"), zipdir.RuleClimb, "./../b"},
		{"dot-dot at the end", named("a/.."), zipdir.RuleClimb, "a/.."},
		{"dot-dot with backslashes", named(`a\..\..\b`), zipdir.RuleClimb, `a\..\..\b`},
		{"dot-dot with a backslash first", named(`..\b`), zipdir.RuleClimb, `..\b`},
		{"dot-dot with both separators", named(`a/..\b`), zipdir.RuleClimb, `a/..\b`},
		{"absolute", named("/etc/passwd"), zipdir.RuleAbsolute, "/etc/passwd"},
		{"two slashes", named("//host/x"), zipdir.RuleAbsolute, "//host/x"},
		{"root as a slash", entries(dir("")), zipdir.RuleAbsolute, "/"},
		{"backslash first", named(`\x`), zipdir.RuleAbsolute, `\x`},
		{"drive letter", named(`C:\x`), zipdir.RuleAbsolute, `C:\x`},
		{"drive letter and slash", named(`c:/x`), zipdir.RuleAbsolute, `c:/x`},
		{"empty name", named(""), zipdir.RuleEmptyName, ""},
		{"a file as the root", named("."), zipdir.RuleEmptyName, "."},
		{"name not UTF-8", named("caf\x82"), zipdir.RuleUTF8, "caf\x82"},
		{"name not UTF-8 although flagged", entries(file("a\xff", "").Both(flags(0x800))), zipdir.RuleUTF8, "a\xff"},
		{"overlong slash", named("a\xc0\xafb"), zipdir.RuleUTF8, "a\xc0\xafb"},
		{"zero byte", named("a\x00b"), zipdir.RuleControl, "a\x00b"},
		{"escape", named("a\x1b[2Jb"), zipdir.RuleControl, "a\x1b[2Jb"},
		{"newline", named("a\nb"), zipdir.RuleControl, "a\nb"},
		{"delete", named("a\x7fb"), zipdir.RuleControl, "a\x7fb"},
		{"C1 control", named("a\u009bb"), zipdir.RuleControl, "a\u009bb"},
		{"component of 256 bytes", named("d/" + strings.Repeat("n", 256)), zipdir.RuleLongName, "d/" + strings.Repeat("n", 256)},
		{"name of 4097 bytes", named(strings.Repeat("nn/", 1365) + "nn"), zipdir.RuleLongName, strings.Repeat("nn/", 1365) + "nn"},

		{"encrypted", entries(x.Both(flags(1))), zipdir.RuleEncrypted, "x"},
		{"strong encryption", entries(x.Both(flags(1 << 6))), zipdir.RuleEncrypted, "x"},
		{"masked headers", entries(x.Both(flags(1 << 13))), zipdir.RuleEncrypted, "x"},
		{"patch data", entries(x.Both(flags(1 << 5))), zipdir.RuleMethod, "x"},
		{"bzip2", entries(x.Both(func(h *ziptest.Header) { h.Method = 12 })), zipdir.RuleMethod, "x"},
		{"deflate64", entries(x.Both(func(h *ziptest.Header) { h.Method = 9 })), zipdir.RuleMethod, "x"},
		{"zstd", entries(x.Both(func(h *ziptest.Header) { h.Method = 93 })), zipdir.RuleMethod, "x"},
		{"AES", entries(x.Both(func(h *ziptest.Header) { h.Method = 99 })), zipdir.RuleMethod, "x"},
		{"character device", entries(file("x", "").Type(0o020666)), zipdir.RuleSpecial, "x"},
		{"block device", entries(file("x", "").Type(0o060666)), zipdir.RuleSpecial, "x"},
		{"fifo", entries(file("x", "").Type(0o010666)), zipdir.RuleSpecial, "x"},
		{"socket", entries(file("x", "").Type(0o140777)), zipdir.RuleSpecial, "x"},
		{"unknown type", entries(file("x", "").Type(0o150777)), zipdir.RuleSpecial, "x"},
		{"link with a slash", entries(file("x/", "y").Type(0o120777)), zipdir.RuleKind, "x/"},
		{"link made on DOS", entries(link("x", "y").Central(func(h *ziptest.Header) { h.MadeBy = 20 })), zipdir.RuleKind, "x"},

		{"stored with two sizes", entries(x.Central(func(h *ziptest.Header) { h.Size++ })), zipdir.RuleSize, "x"},
		{"directory with data", entries(file("x/", "data")), zipdir.RuleSize, "x/"},
		{"more than deflate can give", entries(x.Deflated().Central(func(h *ziptest.Header) { h.Size = h.Compressed*1032 + 1 })), zipdir.RuleSize, "x"},
		{"something from nothing", entries(file("x", "").Central(func(h *ziptest.Header) { h.Method, h.Size = 8, 1 })), zipdir.RuleSize, "x"},
		{"zip64 field missing", entries(x.Central(func(h *ziptest.Header) { h.Size, h.Compressed = math.MaxUint32, math.MaxUint32 })), zipdir.RuleSize, "x"},
		{"zip64 field too short", entries(x.Wide().Central(func(h *ziptest.Header) { h.Extra[2], h.Extra = 16, h.Extra[:20]; h.ExtraLen = 20 })), zipdir.RuleSize, "x"},
		{"two zip64 fields", entries(x.Wide().Central(func(h *ziptest.Header) { h.AddExtra(1, make([]byte, 24)) })), zipdir.RuleSize, "x"},
		{"size past 63 bits", entries(x.Deflated().Wide().Central(func(h *ziptest.Header) { h.Extra[11] = 0x80 })), zipdir.RuleSize, "x"},
		{"compressed size that wraps around", entries(x.Deflated().Wide().Central(func(h *ziptest.Header) { copy(h.Extra[12:], "\xf0\xff\xff\xff\xff\xff\xff\x7f") })), zipdir.RuleOverlap, "x"},
		{"sizes that add up past 63 bits", overflowing(), zipdir.RuleSize, "y"},
		{"another disk", entries(x.Central(func(h *ziptest.Header) { h.Disk = 1 })), zipdir.RuleMultiDisk, "x"},

		{"two entries, one place", entries(x, file("y", long).Central(func(h *ziptest.Header) { h.Offset = 0 })), zipdir.RuleOverlap, "x"},
		{"reaches into the next entry", entries(x.Deflated().Central(func(h *ziptest.Header) { h.Compressed++ }), file("y", "")), zipdir.RuleOverlap, "x"},
		{"reaches into the directory", entries(x.Deflated().Central(func(h *ziptest.Header) { h.Compressed++ })), zipdir.RuleOverlap, "x"},
		{"local header a byte late", entries(file("y", ""), x.Central(shift(1))), zipdir.RuleOverlap, "x"},
		{"local header a byte early", entries(file("y", ""), x.Central(shift(-1))), zipdir.RuleOverlap, "y"},
		{"local header in the directory", entries(x.Central(shift(len(long))), file("y", "")), zipdir.RuleOverlap, "x"},
		{"local header past the end", entries(x.Central(func(h *ziptest.Header) { h.Offset = 1 << 30 })), zipdir.RuleOffset, "x"},
		{"local header past 63 bits", entries(x.Wide().Central(func(h *ziptest.Header) { h.Extra[27] = 0xff })), zipdir.RuleSize, "x"},
		{"the root's entry inside another", entries(x, dir(".").Central(func(h *ziptest.Header) { h.Offset = 40 })), zipdir.RuleOverlap, "./"},

		{"count too low", ended(func(e *ziptest.End) { e.Here, e.Total = 1, 1 }), zipdir.RuleCount, ""},
		{"count zero", ended(func(e *ziptest.End) { e.Here, e.Total = 0, 0 }), zipdir.RuleCount, ""},
		{"count zero and size zero", ended(func(e *ziptest.End) { *e = ziptest.End{} }), zipdir.RuleCount, ""},
		{"count too high", ziptest.Archive{Entries: []ziptest.Entry{x, file(strings.Repeat("y", 100), "")}, End: func(e *ziptest.End) { e.Here, e.Total = 3, 3 }}, zipdir.RuleCount, ""},
		{"count far too high", ended(func(e *ziptest.End) { e.Here, e.Total = 60000, 60000 }), zipdir.RuleCount, ""},
		{"counts that differ", ended(func(e *ziptest.End) { e.Here = 1 }), zipdir.RuleMultiDisk, ""},
		{"second disk", ended(func(e *ziptest.End) { e.Disk, e.DirDisk = 1, 1 }), zipdir.RuleMultiDisk, ""},
		{"directory on another disk", ended(func(e *ziptest.End) { e.DirDisk = 1 }), zipdir.RuleMultiDisk, ""},
		{"directory outside the file", ended(func(e *ziptest.End) { e.Offset = 1 << 30 }), zipdir.RuleOffset, ""},
		{"directory offset too high", ended(func(e *ziptest.End) { e.Offset++ }), zipdir.RuleOffset, ""},
		{"directory offset too low", ended(func(e *ziptest.End) { e.Offset-- }), zipdir.RuleOverlap, "y"},
		{"directory offset too low, with room to spare", ziptest.Archive{Entries: []ziptest.Entry{x.Streamed()}, End: func(e *ziptest.End) { e.Offset-- }}, zipdir.RuleHeader, "x"},
		{"directory too long", ended(func(e *ziptest.End) { e.Size++; e.Offset-- }), zipdir.RuleOffset, ""},
		{"directory too short", ended(func(e *ziptest.End) { e.Size-- }), zipdir.RuleOffset, ""},
		{"directory far too long", ended(func(e *ziptest.End) { e.Size = math.MaxUint32 - 1 }), zipdir.RuleOffset, ""},
		{"gap before the end record", ziptest.Archive{Entries: []ziptest.Entry{x}, Gap: "what is this"}, zipdir.RuleOffset, ""},
		{"saturated without zip64 records", ended(func(e *ziptest.End) { e.Offset = math.MaxUint32 }), zipdir.RuleDirectory, ""},
		{"zip64 records that say otherwise", ziptest.Archive{Wide: true, Entries: []ziptest.Entry{x, file("y", "")}, End: func(e *ziptest.End) { e.Here, e.Total = 1, 1 }}, zipdir.RuleDirectory, ""},
		{"zip64 record not where its locator leads", wide(func(e *ziptest.End64) { e.Signature++ }), zipdir.RuleOffset, ""},
		{"zip64 record of another length", wide(func(e *ziptest.End64) { e.Length++ }), zipdir.RuleOffset, ""},
		{"zip64 locator that leads past the end", wide(func(e *ziptest.End64) { e.LocatorOffset = 1 << 40 }), zipdir.RuleOffset, ""},
		{"zip64 locator that leads elsewhere", wide(func(e *ziptest.End64) { e.LocatorOffset = 0 }), zipdir.RuleOffset, ""},
		{"zip64 locator missing", wide(func(e *ziptest.End64) { e.LocatorSignature++ }), zipdir.RuleDirectory, ""},
		{"zip64 locator of two disks", wide(func(e *ziptest.End64) { e.LocatorDisks = 2 }), zipdir.RuleMultiDisk, ""},
		{"zip64 locator on another disk", wide(func(e *ziptest.End64) { e.LocatorDisk = 1 }), zipdir.RuleMultiDisk, ""},
		{"zip64 record on another disk", ziptest.Archive{Wide: true, Entries: []ziptest.Entry{x}, End64: func(e *ziptest.End64) { e.DirDisk = 1 }, End: func(e *ziptest.End) { e.DirDisk = math.MaxUint16 }}, zipdir.RuleMultiDisk, ""},
		{"zip64 count too low", wide(func(e *ziptest.End64) { e.Here, e.Total = 1, 1 }), zipdir.RuleCount, ""},
		{"zip64 count past all bounds", wide(func(e *ziptest.End64) { e.Here, e.Total = math.MaxUint64, math.MaxUint64 }), zipdir.RuleTooMany, ""},
		{"zip64 directory offset off by one", wide(func(e *ziptest.End64) { e.Offset-- }), zipdir.RuleOffset, ""},
		{"zip64 directory size that wraps around", wide(func(e *ziptest.End64) { e.Size = math.MaxUint64 - 10 }), zipdir.RuleOffset, ""},
		{"another disk in the zip64 field", entries(x.Wide().Central(func(h *ziptest.Header) {
			h.Disk = math.MaxUint16
			h.Extra[2], h.Extra, h.ExtraLen = 28, append(h.Extra, 7, 0, 0, 0), 32
		})), zipdir.RuleMultiDisk, "x"},
		{"another disk and no zip64 field", entries(x.Central(func(h *ziptest.Header) { h.Disk = math.MaxUint16 })), zipdir.RuleSize, "x"},
		{"zip64 field that reaches past the extra", entries(x.Wide().Central(func(h *ziptest.Header) { h.Extra[2] = 25 })), zipdir.RuleSize, "x"},
		{"no central header", entries(x, file("y", "").Central(func(h *ziptest.Header) { h.Signature++ })), zipdir.RuleDirectory, ""},
		{"first central header wrong", entries(x.Central(func(h *ziptest.Header) { h.Signature++ })), zipdir.RuleOffset, ""},
		{"last entry cut off", entries(x, file("y", "").Central(func(h *ziptest.Header) { h.ExtraLen = 9 })), zipdir.RuleDirectory, ""},
		{"comment that is an archive", ziptest.Archive{Comment: inner, Entries: []ziptest.Entry{x}}, zipdir.RuleAmbiguous, ""},
		{"comment cut off", ziptest.Archive{Comment: "abc", Entries: []ziptest.Entry{x}, End: func(e *ziptest.End) { e.CommentLen = 9 }}, zipdir.RuleNotZip, ""},
		{"bytes after the comment", ziptest.Archive{Comment: "abc", Entries: []ziptest.Entry{x}, End: func(e *ziptest.End) { e.CommentLen = 2 }}, zipdir.RuleNotZip, ""},
		{"comment of a hundred end records", ziptest.Archive{Comment: manyEnds(), Entries: []ziptest.Entry{x}}, zipdir.RuleAmbiguous, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := readBytes(test.archive.Bytes())
			wantError(t, err, test.rule, test.entry)
		})
	}
}

// overflowing claims two sizes of 2^62 in one archive. Its compressed sizes
// are true to the ratio of deflate and so lie outside, which comes later.
func overflowing() ziptest.Archive {
	huge := func(h *ziptest.Header) {
		copy(h.Extra[4:], "\x00\x00\x00\x00\x00\x00\x00\x40")
		copy(h.Extra[12:], "\x00\x00\x00\x00\x00\x00\x00\x10")
	}
	return ziptest.Archive{Entries: []ziptest.Entry{
		ziptest.File("x", "").Deflated().Wide().Central(huge),
		ziptest.File("y", "").Deflated().Wide().Central(huge),
	}}
}

func manyEnds() string {
	var b strings.Builder
	for i := range 100 {
		left := (99 - i) * 22
		b.WriteString("PK\x05\x06" + strings.Repeat("\x00", 16) + string([]byte{byte(left), byte(left >> 8)}))
	}
	return b.String()
}

func wantError(t *testing.T, err error, rule zipdir.Rule, entry string) {
	t.Helper()
	var refusal *zipdir.Error
	if !errors.As(err, &refusal) {
		t.Fatalf("got %v, want a refusal: %s", err, rule)
	}
	if refusal.Rule != rule || refusal.Entry != entry || refusal.Archive != "layer.zip" {
		t.Errorf("got %v, want %q: %s", err, entry, rule)
	}
	if strings.ContainsFunc(err.Error(), unicode.IsControl) || len(err.Error()) > 600 {
		t.Errorf("not fit for a terminal: %q", err.Error())
	}
}

func TestNotAZip(t *testing.T) {
	for name, b := range map[string]string{
		"empty": "", "short": "PK", "text": strings.Repeat("no zip ", 100), "big": strings.Repeat("no zip ", 20000),
		"local header only": "PK\x03\x04" + strings.Repeat("\x00", 100), "signature only at the end": strings.Repeat("x", 50) + "PK\x05\x06",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readBytes([]byte(b))
			wantError(t, err, zipdir.RuleNotZip, "")
		})
	}
}

func TestRefusedLinks(t *testing.T) {
	for name, test := range map[string]struct {
		entry ziptest.Entry
		rule  zipdir.Rule
	}{
		"climbs":                       {ziptest.Link("l", "../x"), zipdir.RuleLinkClimb},
		"climbs from below":            {ziptest.Link("a/b/l", "../../../x"), zipdir.RuleLinkClimb},
		"climbs and comes back":        {ziptest.Link("a/l", "../../opt/x"), zipdir.RuleLinkClimb},
		"climbs after going down":      {ziptest.Link("l", "x/./../../y"), zipdir.RuleLinkClimb},
		"dot-dot alone":                {ziptest.Link("l", ".."), zipdir.RuleLinkClimb},
		"no target":                    {ziptest.Link("l", ""), zipdir.RuleLink},
		"target of 4096 bytes":         {ziptest.Link("l", strings.Repeat("t", 4096)), zipdir.RuleLink},
		"target with a zero byte":      {ziptest.Link("l", "a\x00b"), zipdir.RuleLink},
		"target with an escape":        {ziptest.Link("l", "a\x1b]0;x\x07"), zipdir.RuleLink},
		"target not UTF-8":             {ziptest.Link("l", "a\xff"), zipdir.RuleLink},
		"target with a wrong CRC":      {ziptest.Link("l", "ab").Raw([]byte("ac")), zipdir.RuleCRC},
		"target deflated badly":        {ziptest.Link("l", long[:100]).Deflated().Raw([]byte("\xff\xff\xff\xff")), zipdir.RuleStream},
		"stored in more than it gives": {ziptest.Link("l", "ab").Deflated().Raw(make([]byte, 9000)), zipdir.RuleLink},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := readBytes(ziptest.Bytes(test.entry))
			if err != nil {
				t.Fatal(err)
			}
			wantError(t, d.ReadLinks(), test.rule, d.Entries[0].Name)
		})
	}
}

// What only an entry's own bytes tell: Read takes the archive, Open refuses.
func TestRefusedByOpen(t *testing.T) {
	x := ziptest.File("x", long)
	deflated := x.Deflated()
	for name, test := range map[string]struct {
		entry ziptest.Entry
		rule  zipdir.Rule
	}{
		"no local header":                {x.Local(func(h *ziptest.Header) { h.Signature++ }), zipdir.RuleHeader},
		"another name":                   {x.Local(func(h *ziptest.Header) { h.Name = "y" }), zipdir.RuleHeader},
		"a longer name":                  {x.Local(rename("xy")).Streamed(), zipdir.RuleHeader},
		"another method":                 {deflated.Local(func(h *ziptest.Header) { h.Method = 0 }), zipdir.RuleHeader},
		"another size":                   {x.Local(func(h *ziptest.Header) { h.Size++ }), zipdir.RuleHeader},
		"another compressed size":        {x.Local(func(h *ziptest.Header) { h.Compressed-- }), zipdir.RuleHeader},
		"another CRC":                    {x.Local(func(h *ziptest.Header) { h.CRC++ }), zipdir.RuleHeader},
		"encrypted here only":            {x.Local(flags(1)), zipdir.RuleHeader},
		"zip64 without its field":        {x.Local(func(h *ziptest.Header) { h.Size = math.MaxUint32 }), zipdir.RuleHeader},
		"another size in zip64":          {x.Wide().Local(func(h *ziptest.Header) { h.Extra[4]++ }), zipdir.RuleHeader},
		"extra that reaches too far":     {x.Local(func(h *ziptest.Header) { h.ExtraLen = 5 }), zipdir.RuleOverlap},
		"extra that reaches far too far": {x.Local(func(h *ziptest.Header) { h.ExtraLen = 65535 }), zipdir.RuleOverlap},
		"wrong CRC":                      {x.Both(func(h *ziptest.Header) { h.CRC++ }), zipdir.RuleCRC},
		"wrong CRC, deflated":            {deflated.Both(func(h *ziptest.Header) { h.CRC++ }), zipdir.RuleCRC},
		"claims less":                    {deflated.Both(func(h *ziptest.Header) { h.Size-- }), zipdir.RuleLength},
		"claims more":                    {deflated.Both(func(h *ziptest.Header) { h.Size++ }), zipdir.RuleLength},
		"claims nothing":                 {deflated.Both(func(h *ziptest.Header) { h.Size = 0 }), zipdir.RuleLength},
		"not a stream":                   {deflated.Raw([]byte(long[:100])), zipdir.RuleStream},
		"stream cut off":                 {cutOff(deflated), zipdir.RuleStream},
		"bytes after the stream":         {trailing(deflated), zipdir.RuleStream},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := readBytes(ziptest.Bytes(test.entry))
			if err != nil {
				t.Fatal(err)
			}
			r, err := d.Open(&d.Entries[0])
			if test.rule == zipdir.RuleHeader || test.rule == zipdir.RuleOverlap {
				wantError(t, err, test.rule, "x")
				wantError(t, d.CheckHeaders(context.Background()), test.rule, "x")
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			b, err := io.ReadAll(r)
			wantError(t, err, test.rule, "x")
			if int64(len(b)) > d.Entries[0].Size {
				t.Errorf("%d bytes, more than the %d claimed", len(b), d.Entries[0].Size)
			}
			if _, again := r.Read(make([]byte, 1)); again != err {
				t.Errorf("after %v the next read gives %v", err, again)
			}
		})
	}
}

// CheckLocal is for those who meet local headers in passing.
func TestCheckLocal(t *testing.T) {
	b := ziptest.Bytes(ziptest.File("x", long).Local(func(h *ziptest.Header) { h.AddExtra(0x5455, make([]byte, 300)) }))
	d, err := readBytes(b)
	if err != nil {
		t.Fatal(err)
	}
	e := &d.Entries[0]
	off, err := d.DataOffset(e)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.CheckLocal(e, b[:off]); err != nil {
		t.Error(err)
	}
	for name, header := range map[string][]byte{
		"cut off in the name": b[:30], "cut off": b[:29], "nothing": nil, "another place": b[1 : off+1],
		"another size": append(append(b[:22:22], 9, 9, 9, 9), b[26:off]...),
	} {
		t.Run(name, func(t *testing.T) { wantError(t, d.CheckLocal(e, header), zipdir.RuleHeader, "x") })
	}
}

// An extra field that only the local header has can push the data too far.
func TestCheckLocalKnowsWhereDataEnds(t *testing.T) {
	b := ziptest.Bytes(ziptest.File("x", long))
	d, err := readBytes(b)
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, d.CheckLocal(&d.Entries[0], b[:30+1+1]), zipdir.RuleOverlap, "x")
}

func TestReadBoundsItsMemory(t *testing.T) {
	for name, test := range map[string]struct {
		end64 func(*ziptest.End64)
		deep  bool
	}{
		"too many entries":             {func(e *ziptest.End64) { e.Here, e.Total = zipdir.MaxEntries+1, zipdir.MaxEntries+1 }, false},
		"too many implied directories": {nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			var entries []ziptest.Entry
			if test.deep {
				for i := range 300 { // each name implies 2,000 directories of its own
					entries = append(entries, ziptest.File(string(rune('Ā'+i))+strings.Repeat("/d", 2000), ""))
				}
			} else {
				entries = append(entries, ziptest.File("x", ""))
			}
			_, err := readBytes(ziptest.Archive{Entries: entries, Wide: true, End64: test.end64}.Bytes())
			wantError(t, err, zipdir.RuleTooMany, "")
		})
	}
	t.Run("directory too large", func(t *testing.T) {
		// A directory of 65 MiB that is not there: the bytes behind r are never read.
		const size = 65 << 20
		end := ziptest.Archive{Entries: []ziptest.Entry{ziptest.File("x", "")}, End: func(e *ziptest.End) { e.Size, e.Offset = size, 0 }}.Bytes()
		b := append(make([]byte, size), end[len(end)-22:]...)
		_, err := readBytes(b)
		wantError(t, err, zipdir.RuleTooMany, "")
	})
}

func TestLimits(t *testing.T) {
	zeros := strings.Repeat("\x00", 1<<20)
	b := ziptest.Bytes(ziptest.File("zeros", zeros).Deflated(), ziptest.File("more", zeros).Deflated(), ziptest.File("y", "y"))
	d, err := readBytes(b)
	if err != nil {
		t.Fatal(err)
	}
	fine := zipdir.Limits{Entries: 3, Total: 2<<20 + 1, Ratio: 1032, Floor: 0}
	for name, test := range map[string]struct {
		change func(*zipdir.Limits)
		entry  string
		ok     bool
	}{
		"all within":                 {func(*zipdir.Limits) {}, "", true},
		"by default":                 {func(l *zipdir.Limits) { *l = zipdir.DefaultLimits() }, "", true},
		"entries":                    {func(l *zipdir.Limits) { l.Entries-- }, "", false},
		"total":                      {func(l *zipdir.Limits) { l.Total-- }, "", false},
		"ratio of an entry":          {func(l *zipdir.Limits) { l.Ratio = 500 }, "zeros", false},
		"ratio of all":               {func(l *zipdir.Limits) { l.Ratio, l.Floor = 500, 1<<20+1 }, "", false},
		"ratio, but below the floor": {func(l *zipdir.Limits) { l.Ratio, l.Floor = 500, 2<<20+1 }, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			l := fine
			test.change(&l)
			if err := d.CheckBomb(l); !test.ok {
				wantError(t, err, zipdir.RuleBomb, test.entry)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestErrorText(t *testing.T) {
	for want, err := range map[string]*zipdir.Error{
		`layer.zip: entry "a/../b": climbs above the root (holds "..")`: {Archive: "layer.zip", Entry: "a/../b", Rule: zipdir.RuleClimb, Detail: `holds ".."`},
		`layer.zip is not a zip archive (0 bytes)`:                      {Archive: "layer.zip", Rule: zipdir.RuleNotZip, Detail: "0 bytes"},
		`"a\x1bb.zip": entry "\x1b[2J": is encrypted`:                   {Archive: "a\x1bb.zip", Entry: "\x1b[2J", Rule: zipdir.RuleEncrypted},
	} {
		if got := err.Error(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
