const custom = Symbol.for("nodejs.util.promisify.custom");
const inspectCustom = Symbol.for("nodejs.util.inspect.custom");
const plainKey = /^[A-Za-z_$][A-Za-z0-9_$]*$/;
const quote = (text) => {
  const mark = !text.includes("'") ? "'" : !text.includes('"') ? '"' : "`";
  return mark + text.replace(/\\/g, "\\\\").replace(/\n/g, "\\n").replace(/\t/g, "\\t").replace(mark === "'" ? /'/g : /(?!)/g, "\\'") + mark;
};
function tag(value) {
  const name = value.constructor && value.constructor.name;
  if (Object.getPrototypeOf(value) === null) return "[Object: null prototype] ";
  return !name || name === "Object" ? "" : name + " ";
}
function show(value, depth, seen) {
  switch (typeof value) {
    case "string": return quote(value);
    case "bigint": return value + "n";
    case "symbol": return value.toString();
    case "undefined": return "undefined";
    case "number": return Object.is(value, -0) ? "-0" : String(value);
    case "boolean": return String(value);
    case "function": {
      const source = Function.prototype.toString.call(value);
      const kind = source.startsWith("class") ? "class" : "Function";
      if (kind === "class") return "[class " + (value.name || "(anonymous)") + "]";
      return value.name ? "[Function: " + value.name + "]" : "[Function (anonymous)]";
    }
  }
  if (value === null) return "null";
  if (seen.includes(value)) return "[Circular *1]";
  if (typeof value[inspectCustom] === "function") {
    const shown = value[inspectCustom](depth, {}, inspect);
    return typeof shown === "string" ? shown : show(shown, depth, seen);
  }
  if (value instanceof Error) {
    const stack = value.stack || value.name + ": " + value.message;
    const extra = Object.keys(value).filter((key) => key !== "stack" && key !== "message" && key !== "name");
    const text = stack.replace(/\n\s+at /g, "\n    at ").replace(/\((\d+)\)(\)?)$/gm, "$2").trimEnd();
    return extra.length ? text + " {\n  " + extra.map((key) => key + ": " + show(value[key], depth - 1, [...seen, value])).join(",\n  ") + "\n}" : text;
  }
  if (value instanceof Date) return isNaN(value) ? "Invalid Date" : value.toISOString();
  if (value instanceof RegExp) return String(value);
  if (value instanceof Promise) return "Promise { <pending> }";
  if (typeof Buffer !== "undefined" && value instanceof Buffer) return "<Buffer " + value.toString("hex").replace(/(..)(?=.)/g, "$1 ") + ">";
  const array = Array.isArray(value) || ArrayBuffer.isView(value);
  if (depth < 0) return array ? "[Array]" : "[" + (tag(value).trim() || "Object") + "]";
  const inner = [...seen, value];
  const items = [];
  if (array) {
    const list = Array.from(value);
    for (const item of list.slice(0, 100)) items.push(show(item, depth - 1, inner));
    if (list.length > 100) items.push("... " + (list.length - 100) + " more items");
  } else if (value instanceof Map) {
    for (const [key, item] of value) items.push(show(key, depth - 1, inner) + " => " + show(item, depth - 1, inner));
  } else if (value instanceof Set) {
    for (const item of value) items.push(show(item, depth - 1, inner));
  }
  if (!ArrayBuffer.isView(value)) {
    for (const key of Object.keys(value)) {
      if (array && /^\d+$/.test(key)) continue;
      const property = Object.getOwnPropertyDescriptor(value, key);
      const shown = property.get ? (property.set ? "[Getter/Setter]" : "[Getter]") : show(property.value, depth - 1, inner);
      items.push((plainKey.test(key) ? key : quote(key)) + ": " + shown);
    }
  }
  const [open, close] = array ? ["[", "]"] : ["{", "}"];
  let name = tag(value);
  if (Array.isArray(value)) name = name === "Array " ? "" : name;
  else if (array || value instanceof Map || value instanceof Set) name = value.constructor.name + "(" + (value.size ?? value.length) + ") ";
  if (!items.length) return name + open + close;
  const line = items.join(", ");
  if (line.length <= 72 && !line.includes("\n")) return name + open + " " + line + " " + close;
  return name + open + "\n  " + items.map((item) => item.replace(/\n/g, "\n  ")).join(",\n  ") + "\n" + close;
}
function inspect(value, options, depth) {
  let levels = 2;
  if (options && typeof options === "object" && "depth" in options) levels = options.depth === null ? Infinity : options.depth;
  else if (typeof depth === "number") levels = depth;
  return show(value, levels, []);
}
inspect.custom = inspectCustom;
inspect.defaultOptions = {};
function format(...args) {
  let out = "";
  let rest = args;
  if (typeof args[0] === "string") {
    rest = args.slice(1);
    if (!rest.length) return args[0];
    out = args[0].replace(/%[sdifjoOc%]/g, (mark) => {
      if (mark === "%%") return "%";
      if (!rest.length) return mark;
      const value = rest.shift();
      switch (mark) {
        case "%s": return typeof value === "object" && value !== null ? inspect(value, { depth: 0 }) : typeof value === "bigint" ? value + "n" : String(value);
        case "%d": return typeof value === "object" ? "NaN" : String(Number(value));
        case "%i": return String(parseInt(value, 10));
        case "%f": return String(parseFloat(value));
        case "%j": try { return JSON.stringify(value); } catch (_) { return "[Circular]"; }
        case "%c": return "";
        default: return inspect(value, { depth: 4 });
      }
    });
    if (rest.length) out += " ";
  }
  return out + rest.map((value) => (typeof value === "string" ? value : inspect(value))).join(" ");
}
const is = (name) => (value) => Object.prototype.toString.call(value) === "[object " + name + "]";
module.exports = {
  inspect,
  format,
  formatWithOptions: (_, ...args) => format(...args),
  promisify(original) {
    if (typeof original !== "function") throw new TypeError('The "original" argument must be of type function');
    if (original[custom]) return original[custom];
    return function (...args) {
      return new Promise((resolve, reject) => original.call(this, ...args, (error, value) => (error ? reject(error) : resolve(value))));
    };
  },
  callbackify: (original) => function (...args) {
    const callback = args.pop();
    original.apply(this, args).then((value) => callback(null, value), (error) => callback(error));
  },
  inherits(child, parent) {
    Object.defineProperty(child, "super_", { value: parent, writable: true, configurable: true });
    Object.setPrototypeOf(child.prototype, parent.prototype);
  },
  deprecate: (call) => call,
  debuglog: () => Object.assign(() => {}, { enabled: false }),
  isDeepStrictEqual: (a, b) => inspect(a, { depth: null }) === inspect(b, { depth: null }),
  isArray: Array.isArray,
  stripVTControlCharacters: (text) => text.replace(/\u001b\[[0-9;]*[A-Za-z]/g, ""),
  toUSVString: (text) => String(text),
  TextEncoder: globalThis.TextEncoder,
  TextDecoder: globalThis.TextDecoder,
  types: {
    isPromise: (value) => value instanceof Promise,
    isRegExp: is("RegExp"), isDate: is("Date"), isMap: is("Map"), isSet: is("Set"), isNativeError: (value) => value instanceof Error,
    isTypedArray: (value) => ArrayBuffer.isView(value) && !(value instanceof DataView),
    isUint8Array: (value) => value instanceof Uint8Array, isArrayBuffer: (value) => value instanceof ArrayBuffer,
    isAnyArrayBuffer: (value) => value instanceof ArrayBuffer, isProxy: () => false,
    isAsyncFunction: (value) => typeof value === "function" && Object.prototype.toString.call(value) === "[object AsyncFunction]",
    isGeneratorFunction: (value) => typeof value === "function" && Object.prototype.toString.call(value) === "[object GeneratorFunction]",
  },
};
module.exports.promisify.custom = custom;
