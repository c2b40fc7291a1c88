const { inspect, isDeepStrictEqual } = require("util");
class AssertionError extends Error {
  constructor(options) {
    super(options.message);
    this.name = "AssertionError";
    this.code = "ERR_ASSERTION";
    Object.assign(this, options);
  }
}
const fail = (message, text, actual, expected, operator) => {
  if (message instanceof Error) throw message;
  throw new AssertionError({ message: message || text, actual, expected, operator });
};
const assert = (value, message) => { if (!value) fail(message, "The expression evaluated to a falsy value", value, true, "=="); };
module.exports = Object.assign(assert, {
  ok: assert, AssertionError,
  equal(a, b, message) { if (a != b) fail(message, inspect(a) + " == " + inspect(b), a, b, "=="); },
  notEqual(a, b, message) { if (a == b) fail(message, inspect(a) + " != " + inspect(b), a, b, "!="); },
  strictEqual(a, b, message) { if (!Object.is(a, b)) fail(message, "Expected values to be strictly equal:\n\n" + inspect(a) + " !== " + inspect(b) + "\n", a, b, "strictEqual"); },
  notStrictEqual(a, b, message) { if (Object.is(a, b)) fail(message, "Expected values to be not strictly equal", a, b, "notStrictEqual"); },
  deepEqual(a, b, message) { if (!isDeepStrictEqual(a, b)) fail(message, "Expected values to be deep-equal", a, b, "deepEqual"); },
  deepStrictEqual(a, b, message) { if (!isDeepStrictEqual(a, b)) fail(message, "Expected values to be strictly deep-equal", a, b, "deepStrictEqual"); },
  fail(message) { fail(message, "Failed"); },
  throws(run, _, message) {
    try { run(); } catch (_) { return; }
    fail(message, "Missing expected exception.");
  },
  match(text, pattern, message) { if (!pattern.test(text)) fail(message, "The input did not match the regular expression " + pattern, text, pattern, "match"); },
});
assert.strict = assert;
