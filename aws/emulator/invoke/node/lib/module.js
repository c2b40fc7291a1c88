const native = __filename;
const file = (from) => (String(from).startsWith("file://") ? decodeURIComponent(String(from).slice(7)) : String(from));
const createRequire = (from) => native.require(file(from));
class Module {}
module.exports = Object.assign(Module, { Module, createRequire, builtinModules: [...native.modules], isBuiltin: (name) => native.modules.includes(String(name).replace(/^node:/, "")), register() {} });
