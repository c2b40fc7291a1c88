const native = __filename;
const buffer = (content, encoding) => (typeof content === "string" ? Buffer.from(content, encoding || "utf8") : Buffer.from(content));
const exact = (b) => b.buffer.slice(b.byteOffset, b.byteOffset + b.byteLength);
class Hash {
  #algorithm; #key; #parts = [];
  constructor(algorithm, key) { this.#algorithm = algorithm; this.#key = key; }
  update(content, encoding) { this.#parts.push(buffer(content, encoding)); return this; }
  digest(encoding) {
    const sum = native.digest(this.#algorithm, this.#key, exact(Buffer.concat(this.#parts)), encoding || "");
    return typeof sum === "string" ? sum : Buffer.from(sum);
  }
}
const randomBytes = (size, callback) => {
  const bytes = Buffer.from(native.random(size));
  if (callback) setImmediate(callback, null, bytes);
  return bytes;
};
const randomUUID = () => {
  const b = randomBytes(16);
  b[6] = (b[6] & 0x0f) | 0x40;
  b[8] = (b[8] & 0x3f) | 0x80;
  return b.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
};
const getRandomValues = (array) => {
  const bytes = randomBytes(array.byteLength);
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set(bytes);
  return array;
};
module.exports = {
  createHash: (algorithm) => new Hash(algorithm),
  createHmac: (algorithm, key) => new Hash(algorithm, exact(buffer(key))),
  hash: (algorithm, content, encoding) => new Hash(algorithm).update(content).digest(encoding || "hex"),
  randomBytes, randomUUID, getRandomValues,
  randomInt(min, max) {
    if (max === undefined) [min, max] = [0, min];
    return min + Math.floor((randomBytes(6).readUIntBE(0, 6) / 2 ** 48) * (max - min));
  },
  timingSafeEqual: (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)) === 0,
  getHashes: () => ["md5", "sha1", "sha256", "sha384", "sha512"],
  webcrypto: { getRandomValues, randomUUID },
};
