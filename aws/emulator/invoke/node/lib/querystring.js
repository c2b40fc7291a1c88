const escape = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (c) => "%" + c.charCodeAt(0).toString(16).toUpperCase());
const unescape = (text) => { try { return decodeURIComponent(text); } catch (_) { return text; } };
const stringify = (object, separator = "&", equals = "=") =>
  Object.entries(object || {}).flatMap(([key, value]) => [].concat(value).map((one) => escape(key) + equals + escape(one ?? ""))).join(separator);
function parse(text, separator = "&", equals = "=") {
  const out = Object.create(null);
  for (const pair of String(text || "").split(separator)) {
    if (!pair) continue;
    const at = pair.indexOf(equals);
    const plain = (part) => unescape(part.replace(/\+/g, " "));
    const key = plain(at < 0 ? pair : pair.slice(0, at));
    const value = at < 0 ? "" : plain(pair.slice(at + equals.length));
    out[key] = key in out ? [].concat(out[key], value) : value;
  }
  return out;
}
module.exports = { escape, unescape, stringify, encode: stringify, parse, decode: parse };
