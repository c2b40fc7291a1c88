// Listeners live beside the object, so that the constructor can be extended,
// called on foreign objects, and mixed in by copying its methods.
const table = new WeakMap();
const of = (object, name) => {
  let events = table.get(object);
  if (!events) table.set(object, (events = new Map()));
  return name === undefined ? events : events.get(name) || [];
};
function add(object, name, listener, once, front) {
  if (typeof listener !== "function") throw new TypeError('The "listener" argument must be of type function.');
  if (of(object, "newListener").length) object.emit("newListener", name, listener);
  const entry = { listener, once };
  // Lists are replaced and never changed: an emit may be walking the old one.
  of(object).set(name, front ? [entry, ...of(object, name)] : [...of(object, name), entry]);
  return object;
}
function EventEmitter() {}
Object.assign(EventEmitter.prototype, {
  on(name, listener) { return add(this, name, listener, false, false); },
  addListener(name, listener) { return add(this, name, listener, false, false); },
  once(name, listener) { return add(this, name, listener, true, false); },
  prependListener(name, listener) { return add(this, name, listener, false, true); },
  prependOnceListener(name, listener) { return add(this, name, listener, true, true); },
  off(name, listener) {
    const list = of(this, name);
    const at = list.map((entry) => entry.listener).lastIndexOf(listener);
    if (at >= 0) of(this).set(name, list.filter((_, i) => i !== at));
    return this;
  },
  removeListener(name, listener) { return this.off(name, listener); },
  removeAllListeners(name) {
    if (name === undefined) of(this).clear();
    else of(this).delete(name);
    return this;
  },
  emit(name, ...args) {
    const list = of(this, name);
    if (!list.length) {
      if (name !== "error") return false;
      throw args[0] instanceof Error ? args[0] : new Error("Unhandled error. (" + String(args[0]) + ")");
    }
    for (const entry of list) {
      if (entry.once) this.off(name, entry.listener);
      entry.listener.apply(this, args);
    }
    return true;
  },
  listenerCount(name) { return of(this, name).length; },
  listeners(name) { return of(this, name).map((entry) => entry.listener); },
  rawListeners(name) { return this.listeners(name); },
  eventNames() { return [...of(this).keys()].filter((name) => of(this, name).length); },
  setMaxListeners() { return this; },
  getMaxListeners() { return EventEmitter.defaultMaxListeners; },
});
for (const name of Object.keys(EventEmitter.prototype)) Object.defineProperty(EventEmitter.prototype, name, { enumerable: false });
module.exports = EventEmitter;
EventEmitter.EventEmitter = EventEmitter;
EventEmitter.defaultMaxListeners = 10;
EventEmitter.once = (emitter, name) =>
  new Promise((resolve, reject) => {
    const fail = (error) => { emitter.off(name, done); reject(error); };
    const done = (...args) => { emitter.off("error", fail); resolve(args); };
    emitter.once(name, done);
    if (name !== "error") emitter.once("error", fail);
  });
