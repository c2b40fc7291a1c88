// Completes the engine's Buffer, which has the numbers and few encodings.
const { Buffer } = require("_buffer");
const proto = Buffer.prototype;
const plain = (encoding) => String(encoding || "utf8").toLowerCase().replace("utf-8", "utf8").replace("ucs-2", "ucs2").replace("utf-16le", "utf16le");
const known = ["utf8", "hex", "base64", "base64url", "latin1", "binary", "ascii", "ucs2", "utf16le"];
const dress = (view) => Object.setPrototypeOf(view, proto);
const { from } = Buffer;
const { toString } = proto;
const own = {
  from(value, encoding, length) {
    if (typeof value === "string") {
      switch (plain(encoding)) {
        case "latin1": case "binary": case "ascii": return from(Array.from(value, (c) => c.charCodeAt(0) & 0xff));
        case "ucs2": case "utf16le": return from(Array.from(value).flatMap((c) => [...c].flatMap((one) => Array.from({ length: one.length }, (_, i) => one.charCodeAt(i))).flatMap((unit) => [unit & 0xff, unit >> 8])));
        case "base64url": return from(value.replace(/-/g, "+").replace(/_/g, "/"), "base64");
        case "hex": return from((/^([0-9a-f]{2})*/i.exec(value) || [""])[0], "hex");
        default: return from(value, plain(encoding));
      }
    }
    if (value instanceof ArrayBuffer) return dress(new Uint8Array(value, encoding, length));
    if (value && value.type === "Buffer" && Array.isArray(value.data)) return from(value.data);
    if (ArrayBuffer.isView(value)) return from(Array.from(value));
    return from(value);
  },
  alloc(size, fill, encoding) {
    const buffer = dress(new Uint8Array(size));
    return fill === undefined || fill === 0 ? buffer : buffer.fill(fill, 0, size, encoding);
  },
  allocUnsafe: (size) => dress(new Uint8Array(size)),
  allocUnsafeSlow: (size) => dress(new Uint8Array(size)),
  concat(list, total) {
    const size = total ?? list.reduce((sum, one) => sum + one.length, 0);
    const out = own.alloc(size);
    let at = 0;
    for (const one of list) {
      out.set(at + one.length > size ? one.subarray(0, size - at) : one, at);
      at += one.length;
      if (at >= size) break;
    }
    return out;
  },
  isBuffer: (value) => value instanceof Buffer,
  isEncoding: (encoding) => known.includes(plain(encoding)),
  byteLength: (value, encoding) => (typeof value === "string" ? own.from(value, encoding).length : value.byteLength),
  compare: (a, b) => own.from(a).compare(b),
};
Object.assign(Buffer, own);
const find = (buffer, value, start, encoding, last) => {
  const needle = typeof value === "number" ? [value & 0xff] : typeof value === "string" ? own.from(value, encoding) : value;
  let from = start === undefined ? (last ? buffer.length : 0) : start < 0 ? Math.max(buffer.length + start, 0) : start;
  from = Math.min(from, buffer.length - needle.length);
  for (let at = last ? from : typeof start === "number" && start > from ? buffer.length : from; last ? at >= 0 : at <= buffer.length - needle.length; at += last ? -1 : 1) {
    if (needle.every((byte, i) => buffer[at + i] === byte)) return at;
  }
  return -1;
};
const methods = {
  toString(encoding, start = 0, end = this.length) {
    const part = start === 0 && end >= this.length ? this : this.subarray(start, end);
    switch (plain(encoding)) {
      case "latin1": case "binary": return Array.from(part, (byte) => String.fromCharCode(byte)).join("");
      case "ascii": return Array.from(part, (byte) => String.fromCharCode(byte & 0x7f)).join("");
      case "ucs2": case "utf16le": {
        let out = "";
        for (let i = 0; i + 1 < part.length; i += 2) out += String.fromCharCode(part[i] | (part[i + 1] << 8));
        return out;
      }
      case "base64url": return toString.call(part, "base64").replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
      case "hex": case "base64": case "utf8": return toString.call(part, plain(encoding));
    }
    throw Object.assign(new TypeError("Unknown encoding: " + encoding), { code: "ERR_UNKNOWN_ENCODING" });
  },
  subarray(start, end) { return dress(Uint8Array.prototype.subarray.call(this, start, end)); },
  slice(start, end) { return dress(Uint8Array.prototype.subarray.call(this, start, end)); },
  copy(target, at = 0, start = 0, end = this.length) {
    const part = this.subarray(start, Math.min(end, start + target.length - at));
    target.set(part, at);
    return part.length;
  },
  compare(other) {
    for (let i = 0; i < Math.min(this.length, other.length); i++) if (this[i] !== other[i]) return this[i] < other[i] ? -1 : 1;
    return Math.sign(this.length - other.length);
  },
  fill(value, start = 0, end = this.length, encoding = "utf8") {
    if (typeof start === "string") [encoding, start] = [start, 0];
    const bytes = typeof value === "number" ? [value & 0xff] : typeof value === "string" ? own.from(value, encoding) : value;
    for (let i = start; bytes.length && i < end; i++) this[i] = bytes[(i - start) % bytes.length];
    return this;
  },
  indexOf(value, start, encoding) { return find(this, value, start, encoding, false); },
  lastIndexOf(value, start, encoding) { return find(this, value, start, encoding, true); },
  includes(value, start, encoding) { return find(this, value, start, encoding, false) >= 0; },
  toJSON() { return { type: "Buffer", data: Array.from(this) }; },
};
for (const [name, value] of Object.entries(methods)) Object.defineProperty(proto, name, { value, writable: true, configurable: true });
module.exports = { Buffer, SlowBuffer: Buffer, kMaxLength: 2 ** 31 - 1, constants: { MAX_LENGTH: 2 ** 31 - 1, MAX_STRING_LENGTH: 2 ** 29 - 24 }, Blob: globalThis.Blob };
