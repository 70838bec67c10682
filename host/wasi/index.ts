/** WASI programs as processes of a machine: docs/wasi.md. */
export { canSuspend, GuestExit, ProcessGone, WasiGuest, type WasiOptions } from './guest.ts';
export { type GateKind, gateKind, loadGates } from './modules.ts';
