// POSIX paths only: functions run on Linux.
const text = (value, name) => {
  if (typeof value !== "string") throw new TypeError('The "' + name + '" argument must be of type string. Received ' + typeof value);
  return value;
};
function collapse(path, absolute) {
  const out = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") out.push(part);
    else if (out.length && out[out.length - 1] !== "..") out.pop();
    else if (!absolute) out.push("..");
  }
  return out.join("/");
}
const api = {
  sep: "/",
  delimiter: ":",
  isAbsolute: (path) => text(path, "path").startsWith("/"),
  normalize(path) {
    if (text(path, "path") === "") return ".";
    const absolute = path.startsWith("/");
    let out = collapse(path, absolute);
    if (out !== "" && path.endsWith("/")) out += "/";
    if (absolute) return "/" + out;
    return out || (path.endsWith("/") ? "./" : ".");
  },
  join(...parts) {
    const joined = parts.map((part) => text(part, "path")).filter((part) => part !== "").join("/");
    return joined === "" ? "." : api.normalize(joined);
  },
  resolve(...parts) {
    let path = "";
    for (let i = parts.length - 1; i >= 0 && !path.startsWith("/"); i--) {
      if (text(parts[i], "path") !== "") path = parts[i] + "/" + path;
    }
    if (!path.startsWith("/")) path = process.cwd() + "/" + path;
    return "/" + collapse(path, true);
  },
  dirname(path) {
    const trimmed = text(path, "path").replace(/\/+$/, "");
    if (trimmed === "") return path.startsWith("/") ? "/" : ".";
    const at = trimmed.lastIndexOf("/");
    if (at < 0) return ".";
    return trimmed.slice(0, at).replace(/\/+$/, "") || "/";
  },
  basename(path, suffix) {
    const trimmed = text(path, "path").replace(/\/+$/, "");
    const base = trimmed.slice(trimmed.lastIndexOf("/") + 1);
    return suffix && base !== suffix && base.endsWith(suffix) ? base.slice(0, -suffix.length) : base;
  },
  extname(path) {
    const base = api.basename(path);
    const at = base.lastIndexOf(".");
    return at <= 0 ? "" : base.slice(at);
  },
  relative(from, to) {
    const a = api.resolve(from).split("/").filter(Boolean);
    const b = api.resolve(to).split("/").filter(Boolean);
    let same = 0;
    while (same < a.length && same < b.length && a[same] === b[same]) same++;
    return [...a.slice(same).map(() => ".."), ...b.slice(same)].join("/");
  },
  parse(path) {
    const base = api.basename(path);
    const ext = api.extname(path);
    const root = path.startsWith("/") ? "/" : "";
    const dir = api.dirname(path);
    return { root, dir: dir === "." && !path.startsWith(".") ? "" : dir, base, ext, name: ext ? base.slice(0, -ext.length) : base };
  },
  format(parts) {
    const dir = parts.dir || parts.root || "";
    const base = parts.base || (parts.name || "") + (parts.ext || "");
    if (!dir) return base;
    return dir === parts.root ? dir + base : dir + "/" + base;
  },
  toNamespacedPath: (path) => path,
};
api.posix = api;
api.win32 = api;
module.exports = api;
