// Stands for a core module that the embedded account does not have. Packages may
// load it, read constants and extend its classes; calling into it fails.
const name = __dirname;
const unavailable = (member) => {
  const refuse = function () {
    const error = new Error("the embedded account can't run " + name + "." + member + ": functions have no network, processes or threads here");
    error.code = "ERR_NOT_RUNNABLE";
    throw error;
  };
  Object.defineProperty(refuse, "name", { value: member });
  return refuse;
};
const { EventEmitter } = require("events");
const members = {};
switch (name) {
  case "stream":
    for (const kind of ["Stream", "Readable", "Writable", "Duplex", "Transform", "PassThrough"]) {
      members[kind] = class extends EventEmitter {};
      Object.defineProperty(members[kind], "name", { value: kind });
    }
    break;
  case "http":
  case "https":
    members.Agent = class Agent extends EventEmitter {
      constructor(options) { super(); this.options = Object.assign({}, options); }
    };
    members.globalAgent = new members.Agent();
    members.METHODS = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];
    members.STATUS_CODES = { 200: "OK", 400: "Bad Request", 404: "Not Found", 500: "Internal Server Error" };
    break;
  case "net":
    members.Socket = class Socket extends EventEmitter {};
    members.isIPv4 = (text) => /^(\d{1,3}\.){3}\d{1,3}$/.test(text);
    members.isIPv6 = (text) => /^[0-9a-f:]+$/i.test(text) && text.includes(":");
    members.isIP = (text) => (members.isIPv4(text) ? 4 : members.isIPv6(text) ? 6 : 0);
    break;
  case "tls":
    members.TLSSocket = class TLSSocket extends EventEmitter {};
    break;
  case "tty":
    members.isatty = () => false;
    break;
  case "zlib":
    members.constants = {};
    break;
  case "vm":
    members.Script = class Script {
      runInContext() { unavailable("Script.runInContext")(); }
      runInNewContext() { unavailable("Script.runInNewContext")(); }
      runInThisContext() { unavailable("Script.runInThisContext")(); }
    };
    members.isContext = () => false;
    break;
  case "worker_threads":
    members.isMainThread = true;
    break;
  case "diagnostics_channel":
    members.channel = () => ({ hasSubscribers: false, publish() {}, subscribe() {}, unsubscribe() {} });
    break;
}
const base = name === "stream" ? members.Stream : members;
if (name === "stream") Object.assign(base, members);
module.exports = new Proxy(base, {
  get(target, member) {
    if (member in target || typeof member === "symbol" || member === "__esModule" || member === "then" || member === "default") return target[member];
    return (target[member] = unavailable(member));
  },
});
