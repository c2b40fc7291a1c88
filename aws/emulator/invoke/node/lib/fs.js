const native = __filename;
const name = (path) => (path instanceof URL ? decodeURIComponent(path.pathname) : Buffer.isBuffer(path) ? path.toString() : String(path));
const encodingOf = (options) => (typeof options === "string" ? options : options && options.encoding);
function missing(call, path) {
  const error = new Error("ENOENT: no such file or directory, " + call + " '" + path + "'");
  return Object.assign(error, { code: "ENOENT", errno: -2, syscall: call, path });
}
class Stats {
  #kind;
  constructor(found) {
    this.#kind = found.kind;
    this.size = found.size;
    this.mode = found.mode | { file: 0o100000, dir: 0o040000, link: 0o120000 }[found.kind];
    this.mtimeMs = this.ctimeMs = this.atimeMs = this.birthtimeMs = 0;
    this.mtime = this.ctime = this.atime = this.birthtime = new Date(0);
    this.uid = this.gid = 0;
  }
  isFile() { return this.#kind === "file"; }
  isDirectory() { return this.#kind === "dir"; }
  isSymbolicLink() { return this.#kind === "link"; }
  isFIFO() { return false; }
  isSocket() { return false; }
  isBlockDevice() { return false; }
  isCharacterDevice() { return false; }
}
class Dirent {
  #kind;
  constructor(parent, entry) {
    this.name = entry;
    this.path = this.parentPath = parent;
    this.#kind = native.stat(parent + "/" + entry, false).kind;
  }
  isFile() { return this.#kind === "file"; }
  isDirectory() { return this.#kind === "dir"; }
  isSymbolicLink() { return this.#kind === "link"; }
}
function stat(call, path, follow, options) {
  const found = native.stat(name(path), follow);
  if (found) return new Stats(found);
  if (options && options.throwIfNoEntry === false) return undefined;
  throw missing(call, name(path));
}
const bytes = (content, encoding) => {
  const buffer = typeof content === "string" ? Buffer.from(content, encoding || "utf8") : Buffer.from(content);
  return buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + buffer.byteLength);
};
const sync = {
  readFile(path, options) {
    const content = Buffer.from(native.read(name(path)));
    const encoding = encodingOf(options);
    return encoding && encoding !== "buffer" ? content.toString(encoding) : content;
  },
  writeFile(path, content, options) { native.save(name(path), bytes(content, encodingOf(options))); },
  appendFile(path, content, options) {
    const held = api.existsSync(path) ? sync.readFile(path) : Buffer.alloc(0);
    native.save(name(path), bytes(Buffer.concat([held, Buffer.from(bytes(content, encodingOf(options)))])));
  },
  stat: (path, options) => stat("stat", path, true, options),
  lstat: (path, options) => stat("lstat", path, false, options),
  access(path) { stat("access", path, true); },
  readdir(path, options) {
    const found = native.stat(name(path), true);
    if (!found) throw missing("scandir", name(path));
    const entries = [...new Set(native.names(name(path)))].sort();
    return options && options.withFileTypes ? entries.map((entry) => new Dirent(name(path), entry)) : entries;
  },
  realpath(path) {
    const found = native.stat(name(path), true);
    if (!found) throw missing("lstat", name(path));
    return found.real;
  },
  readlink(path) {
    const found = native.stat(name(path), false);
    if (!found) throw missing("readlink", name(path));
    return found.target;
  },
  unlink(path) { native.remove(name(path)); },
  rm(path, options) {
    if (!native.stat(name(path), false)) {
      if (options && options.force) return;
      throw missing("rm", name(path));
    }
    native.remove(name(path));
  },
  mkdir(path) {
    // Directories below /tmp come with the files written into them.
    if (!/^\/tmp(\/|$)/.test(name(path))) throw Object.assign(new Error("EROFS: read-only file system, mkdir '" + name(path) + "'"), { code: "EROFS", syscall: "mkdir", path: name(path) });
  },
};
const promises = {};
const api = { promises, constants: { F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1 }, Stats, Dirent };
api.existsSync = (path) => Boolean(native.stat(name(path), true));
for (const [call, run] of Object.entries(sync)) {
  api[call + "Sync"] = run;
  promises[call] = async (...args) => run(...args);
  api[call] = (...args) => {
    const callback = args.pop();
    promises[call](...args).then((value) => setImmediate(callback, null, value), (error) => setImmediate(callback, error));
  };
}
api.exists = (path, callback) => setImmediate(callback, api.existsSync(path));
api.realpathSync.native = api.realpathSync;
api.realpath.native = api.realpath;
promises.constants = api.constants;
// What the file system of the embedded account has not; packages look for it.
const lacking = ["open", "close", "read", "write", "fsync", "ftruncate", "truncate", "rename", "link", "symlink", "copyFile", "chmod", "chown", "fchmod", "fchown", "lchmod", "lchown", "utimes", "futimes", "fstat", "rmdir", "mkdtemp", "opendir", "cp", "watch", "watchFile", "unwatchFile", "createReadStream", "createWriteStream", "ReadStream", "WriteStream"];
for (const call of lacking) {
  for (const member of [call, call + "Sync"]) {
    api[member] = function () {
      throw Object.assign(new Error("ENOSYS: the embedded account's file system has no " + member), { code: "ENOSYS", syscall: call });
    };
  }
}
module.exports = api;
