// Package invoke runs functions. JavaScript handlers of the Node.js runtimes run
// for real, with modules resolved as Node.js resolves them over /var/task, /opt
// and NODE_PATH; whether those files came from archives or from an image makes no
// difference to the code that runs.
//
// What it does not run, it checks as Lambda's start does, and says so: external
// extensions and exec wrappers must exist and be executable, an image's entry
// point must be there. Other runtimes, native modules and top-level await fail
// with an error of type Runtime.NotRunnable that names what this account can't
// run; core modules for networks, processes and threads load, and fail when they
// are called. The REPORT line has no memory figure: it is not measured.
package invoke
