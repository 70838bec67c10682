/** The package `events`, by the name that tells it from Node's own module. */
declare module 'events/' {
  export { EventEmitter } from 'node:events';
}
