const { URL, URLSearchParams, domainToASCII, domainToUnicode } = require("_url");
const querystring = require("querystring");
const shape = /^(?:([a-z][a-z0-9+.-]*:)?(\/\/)?)?(?:([^@/?#]*)@)?([^:/?#]*)?(?::(\d+))?([^?#]*)(\?[^#]*)?(#.*)?$/i;
function parse(text, query) {
  const empty = { protocol: null, slashes: null, auth: null, host: null, port: null, hostname: null, hash: null, search: null, query: null, pathname: null, path: null, href: text };
  const scheme = /^([a-z][a-z0-9+.-]*:)(\/\/)?/i.exec(text);
  let out;
  if (scheme && scheme[2]) {
    const m = shape.exec(text) || [];
    out = {
      ...empty, protocol: scheme[1].toLowerCase(), slashes: true, auth: m[3] ? decodeURIComponent(m[3]) : null, hostname: (m[4] || "").toLowerCase(), port: m[5] || null,
      host: (m[4] || "").toLowerCase() + (m[5] ? ":" + m[5] : ""), pathname: m[6] || "/", search: m[7] || null, hash: m[8] || null,
    };
  } else {
    const m = /^([^?#]*)(\?[^#]*)?(#.*)?$/.exec(scheme ? text.slice(scheme[0].length) : text);
    out = { ...empty, protocol: scheme ? scheme[1].toLowerCase() : null, pathname: m[1] || null, search: m[2] || null, hash: m[3] || null };
  }
  out.query = out.search === null ? (query ? {} : null) : query ? querystring.parse(out.search.slice(1)) : out.search.slice(1);
  out.path = out.pathname === null && out.search === null ? null : (out.pathname || "") + (out.search || "");
  out.href = format(out);
  return out;
}
function format(parts) {
  if (typeof parts === "string") parts = parse(parts);
  if (parts instanceof URL) return parts.href;
  const protocol = parts.protocol ? parts.protocol.replace(/:?$/, ":") : "";
  const host = parts.host ?? (parts.hostname ? parts.hostname + (parts.port ? ":" + parts.port : "") : "");
  const query = parts.query && typeof parts.query === "object" ? querystring.stringify(parts.query) : "";
  const search = parts.search ? parts.search.replace(/^\??/, "?") : query ? "?" + query : "";
  const slashes = parts.slashes || (/^(https?|ftp|file):$/.test(protocol) && host !== "") ? "//" : "";
  return protocol + slashes + (parts.auth ? encodeURIComponent(parts.auth).replace(/%3A/i, ":") + "@" : "") + host + (parts.pathname || "") + search + (parts.hash || "");
}
module.exports = {
  URL, URLSearchParams, domainToASCII, domainToUnicode, parse, format,
  resolve: (from, to) => {
    const base = new URL(to, new URL(from, "resolve://"));
    return base.protocol === "resolve:" ? base.pathname + base.search + base.hash : base.toString();
  },
  fileURLToPath: (url) => decodeURIComponent((typeof url === "string" ? new URL(url) : url).pathname),
  pathToFileURL: (path) => new URL("file://" + encodeURI(require("path").resolve(path))),
  urlToHttpOptions: (url) => ({ protocol: url.protocol, hostname: url.hostname, hash: url.hash, search: url.search, pathname: url.pathname, path: url.pathname + url.search, href: url.href, port: url.port === "" ? undefined : Number(url.port), auth: url.username ? decodeURIComponent(url.username) + ":" + decodeURIComponent(url.password) : undefined }),
};
