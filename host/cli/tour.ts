/**
 * The tour: real work on the files that were imported, each step checked. A step that does not
 * come out as it should is reported and fails the whole; the steps after it are still taken.
 */

import { reasonOf } from '../hostfiles/entry.ts';
import { KernelPanic, type Machine } from '../index.ts';
import { detail, heading, print, style } from './output.ts';
import { compareWithHost } from './tour/compare.ts';
import { Costs, operationCosts } from './tour/costs.ts';
import { deviceNodes } from './tour/devices.ts';
import { fifo } from './tour/fifo.ts';
import { fork } from './tour/fork.ts';
import { readOnlyBind, secondTmpfs } from './tour/mounts.ts';
import { otherUser } from './tour/permissions.ts';
import { renames } from './tour/renames.ts';
import { CheckError, type Imported, type Scene } from './tour/scene.ts';
import { formatCount, formatMs } from './values.ts';

/** RAM beside what is imported: a second tmpfs is filled, and trees are copied. */
export const TOUR_SPARE_BYTES = 96 * 2 ** 20;

type Step = (scene: Scene) => void | Promise<void>;

const STEPS: readonly (readonly [string, Step])[] = [
  ['Every file against the host', compareWithHost],
  ['A second tmpfs', secondTmpfs],
  ['A read-only bind mount', readOnlyBind],
  ['A fifo between two processes', fifo],
  ['Device nodes', deviceNodes],
  ['Whole directories renamed', renames],
  ['Another user', otherUser],
  ['Snapshot and fork', fork],
  ['What the operations cost, mount by mount', operationCosts],
];

/** @returns whether every step checked out */
export async function takeTour(machine: Machine, imported: readonly Imported[]): Promise<boolean> {
  const started = performance.now();
  const scene: Scene = {
    machine,
    imported,
    costs: new Costs(machine),
    say: detail,
  };
  const failed: string[] = [];
  for (const [title, step] of STEPS) if (!(await takeStep(scene, title, step))) failed.push(title);
  print();
  const time = style.dim(formatMs(performance.now() - started));
  if (failed.length === 0)
    print(`${style.green('✓')} ${formatCount(STEPS.length, 'step')}, all as expected  ${time}`);
  else
    print(
      `${style.red('✗')} ${failed.length} of ${formatCount(STEPS.length, 'step')} failed: ${failed.join(', ')}  ${time}`,
    );
  return failed.length === 0;
}

async function takeStep(scene: Scene, title: string, step: Step): Promise<boolean> {
  heading(title);
  const started = performance.now();
  try {
    await step(scene);
    detail(`${style.green('✓')} ${style.dim(formatMs(performance.now() - started))}`);
    return true;
  } catch (error) {
    if (error instanceof KernelPanic) throw error;
    detail(
      `${style.red('✗')} ${error instanceof CheckError ? error.message : ((error as Error).stack ?? reasonOf(error))}`,
    );
    return false;
  }
}
