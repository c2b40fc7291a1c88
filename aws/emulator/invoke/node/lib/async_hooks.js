// A store lasts for the synchronous part of a run; one invocation runs at a time.
class AsyncLocalStorage {
  #store;
  run(store, call, ...args) {
    const before = this.#store;
    this.#store = store;
    try {
      const result = call(...args);
      if (!result || typeof result.then !== "function") this.#store = before;
      return result && typeof result.then === "function" ? result.finally(() => { this.#store = before; }) : result;
    } catch (error) {
      this.#store = before;
      throw error;
    }
  }
  exit(call, ...args) { return this.run(undefined, call, ...args); }
  enterWith(store) { this.#store = store; }
  getStore() { return this.#store; }
  disable() { this.#store = undefined; }
}
class AsyncResource {
  runInAsyncScope(call, self, ...args) { return call.apply(self, args); }
  emitDestroy() { return this; }
  asyncId() { return 1; }
  triggerAsyncId() { return 0; }
}
module.exports = { AsyncLocalStorage, AsyncResource, createHook: () => ({ enable() { return this; }, disable() { return this; } }), executionAsyncId: () => 1, triggerAsyncId: () => 0 };
