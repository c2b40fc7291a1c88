// Package node runs the JavaScript handlers of Lambda's Node.js runtimes in this
// process: an engine, the timers of an event loop, modules resolved as Node.js
// resolves them over a function's file system, and the core modules that need
// neither network nor processes. The machine it runs on is out of the code's
// reach: files and environment are the function's own.
package node
