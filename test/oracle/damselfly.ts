import { BareMachine, type MachineOptions } from './bare.ts';
import { MachineTarget, type TargetOptions } from './machine-target.ts';

export interface DamselflyOptions extends MachineOptions, TargetOptions {}

/** The kernel on bare hardware: a machine of its own for each reset. */
export class DamselflyTarget extends MachineTarget {
  constructor(options: DamselflyOptions) {
    super(options, () => new BareMachine(options));
  }
}
