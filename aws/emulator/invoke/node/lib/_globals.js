const native = __filename;
const encoder = class TextEncoder {
  get encoding() { return "utf-8"; }
  encode(text = "") { return new Uint8Array(Buffer.from(String(text), "utf8")); }
};
const decoder = class TextDecoder {
  constructor(encoding = "utf-8") { this.encoding = encoding; }
  decode(bytes) {
    if (!bytes) return "";
    const buffer = ArrayBuffer.isView(bytes) ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) : Buffer.from(bytes);
    return buffer.toString("utf8");
  }
};
globalThis.TextEncoder = encoder;
globalThis.TextDecoder = decoder;
globalThis.Buffer = require("buffer").Buffer;
Error.stackTraceLimit = 10;
Error.captureStackTrace = (target) => {
  const frames = String(new Error().stack).split("\n").slice(2).map((line) => /^\s*at (?:(.*) \()?(.*?):(\d+):(\d+)/.exec(line)).filter(Boolean);
  const sites = frames.map(([, name, file, line, column]) => ({
    getFileName: () => file, getLineNumber: () => Number(line), getColumnNumber: () => Number(column), getFunctionName: () => name ?? null,
    getTypeName: () => null, getMethodName: () => null, getThis: () => undefined, getFunction: () => undefined, getEvalOrigin: () => undefined,
    isNative: () => false, isEval: () => false, isConstructor: () => false, isToplevel: () => true, isAsync: () => false,
    toString: () => (name ? name + " (" + file + ":" + line + ":" + column + ")" : file + ":" + line + ":" + column),
  }));
  const stack = typeof Error.prepareStackTrace === "function" ? Error.prepareStackTrace(target, sites) : String(target) + sites.map((site) => "\n    at " + site).join("");
  Object.defineProperty(target, "stack", { value: stack, writable: true, configurable: true });
};
const EventEmitter = require("events");
const major = (/^nodejs(\d+)/.exec(native.runtime) || [])[1] || "0";
const started = Date.now();
globalThis.performance = { now: () => Date.now() - started, timeOrigin: started, mark() {}, measure() {} };
globalThis.process = Object.assign(new EventEmitter(), {
  env: Object.assign({}, native.env), argv: ["/var/lang/bin/node", "/var/runtime/index.mjs"], execArgv: [], execPath: "/var/lang/bin/node",
  version: "v" + major + ".0.0", versions: { node: major + ".0.0" }, platform: "linux", arch: native.arch, pid: 2, ppid: 1, title: "node",
  release: { name: "node" }, config: {}, features: {}, exitCode: undefined,
  cwd: () => native.cwd, uptime: () => (Date.now() - started) / 1000, umask: () => 0o22, getuid: () => 993, getgid: () => 990,
  exit: (code) => native.exit(Number(code ?? process.exitCode ?? 0)),
  abort: () => native.exit(134),
  nextTick: (call, ...args) => queueMicrotask(() => call(...args)),
  hrtime: Object.assign((before) => {
    const now = [Math.floor(Date.now() / 1000), (Date.now() % 1000) * 1e6];
    return before ? [now[0] - before[0], now[1] - before[1]] : now;
  }, { bigint: () => BigInt(Date.now()) * 1000000n }),
  memoryUsage: Object.assign(() => ({ rss: 0, heapTotal: 0, heapUsed: 0, external: 0, arrayBuffers: 0 }), { rss: () => 0 }),
  emitWarning: (text) => console.warn("(node:2) Warning: " + (text && text.message ? text.message : text)),
  stdout: { isTTY: false, columns: 80, fd: 1, write: (text) => (native.write(String(text)), true), on() {}, once() {} },
  stderr: { isTTY: false, columns: 80, fd: 2, write: (text) => (native.write(String(text)), true), on() {}, once() {} },
  binding() { throw new Error("the embedded account has no process.binding"); },
});
globalThis.queueMicrotask = (call) => {
  if (typeof call !== "function") throw new TypeError('The "callback" argument must be of type function.');
  // What a microtask throws is an uncaught exception, which ends the process.
  Promise.resolve().then(call).catch((error) => setImmediate(() => { throw error; }));
};
const { format, inspect } = require("util");
const levels = { log: "INFO", info: "INFO", warn: "WARN", error: "ERROR", debug: "DEBUG", trace: "TRACE" };
const times = new Map();
globalThis.console = {
  ...Object.fromEntries(Object.entries(levels).map(([name, level]) => [name, (...args) => native.log(level, format(...args))])),
  dir: (value, options) => native.log("INFO", inspect(value, options)),
  table: (value) => native.log("INFO", inspect(value)),
  assert: (value, ...args) => { if (!value) native.log("ERROR", args.length ? "Assertion failed: " + format(...args) : "Assertion failed"); },
  group() {}, groupCollapsed() {}, groupEnd() {}, count() {}, countReset() {},
  time: (label = "default") => times.set(label, Date.now()),
  timeEnd: (label = "default") => { native.log("INFO", label + ": " + (Date.now() - (times.get(label) ?? Date.now())) + "ms"); times.delete(label); },
  timeLog: (label = "default") => native.log("INFO", label + ": " + (Date.now() - (times.get(label) ?? Date.now())) + "ms"),
};
globalThis.atob = (text) => Buffer.from(String(text), "base64").toString("latin1");
globalThis.btoa = (text) => Buffer.from(String(text), "latin1").toString("base64");
globalThis.structuredClone = (value) => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));
class EventTarget {
  #emitter = new EventEmitter();
  addEventListener(name, listener) { this.#emitter.on(name, listener); }
  removeEventListener(name, listener) { this.#emitter.off(name, listener); }
  dispatchEvent(event) { return this.#emitter.emit(event.type, event); }
}
globalThis.EventTarget = EventTarget;
globalThis.Event = class Event { constructor(type) { this.type = type; } };
globalThis.AbortSignal = class AbortSignal extends EventTarget {
  aborted = false;
  reason = undefined;
  throwIfAborted() { if (this.aborted) throw this.reason; }
};
globalThis.AbortController = class AbortController {
  signal = new AbortSignal();
  abort(reason = Object.assign(new Error("This operation was aborted"), { name: "AbortError" })) {
    if (this.signal.aborted) return;
    this.signal.aborted = true;
    this.signal.reason = reason;
    this.signal.dispatchEvent(new Event("abort"));
  }
};
globalThis.fetch = () => Promise.reject(Object.assign(new TypeError("fetch failed: the embedded account's functions have no network"), { code: "ERR_NOT_RUNNABLE" }));
Object.defineProperty(globalThis, "crypto", { configurable: true, get: () => require("crypto").webcrypto });

// drive calls a handler and tells which way its answer comes: by a promise, or by
// the callback or context.
exports.drive = (handler, event, context, settle) => {
  const succeed = (value) => settle(false, value);
  const fail = (error) => settle(true, error);
  const callback = (error, value) => (error === null || error === undefined ? succeed(value) : fail(error));
  context.done = callback;
  context.succeed = succeed;
  context.fail = (error) => fail(error === undefined ? "handled" : error);
  const result = handler(event, context, callback);
  if (result && typeof result.then === "function") {
    result.then(succeed, fail);
    return "promise";
  }
  return "callback";
};
