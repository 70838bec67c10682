/** Packages that follow Node's own sources, for where there is no Node. */
// A trailing slash names the package, not Node's built-in module.
export { Buffer } from 'buffer/';
export { EventEmitter } from 'events/';
export { Readable, Writable } from 'readable-stream';
