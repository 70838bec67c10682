/**
 * Checks ext2, ext3 and ext4 without writing: what `e2fsck -fn` looks at, in its order. Any image
 * whatever yields findings and never an exception.
 */
import * as abi from '../../assembly/abi/ext4.ts';
import type { BlockDevice } from '../devices/types.ts';
import { checkBitmaps } from './check/bitmaps.ts';
import { Abandoned, Context, type Finding, Findings } from './check/context.ts';
import { checkDirectories } from './check/dirs.ts';
import { checkInodes, claimMetadata } from './check/inodes.ts';
import { checkConnections, checkLinks } from './check/links.ts';
import { checkJournal, checkResizeInode, keepUnnamed, readOrphans } from './check/special.ts';
import { checkBackups, checkGroups, checkSuper, readGroups, soundSuper } from './check/super.ts';
import { Blocks, readBytes } from './volume.ts';

export type { Finding } from './check/context.ts';

export type CheckPass = 'super' | 'inodes' | 'directories' | 'links' | 'bitmaps';

export interface CheckOptions {
  /** How far it is: of `total`, in whatever the pass counts. */
  onProgress?: (pass: CheckPass, done: number, total: number) => void;
  /** Seconds since 1970; the clock's unless told. */
  now?: number;
}

export interface CheckResult {
  /** No damage. There may be notes. */
  readonly clean: boolean;
  /** The first some thousands. */
  readonly findings: readonly Finding[];
  /** How much damage there is, notes not counted, and what is not in `findings` too. */
  readonly damaged: number;
  /** The journal has to be replayed first: until then some damage may be none. */
  readonly needsRecovery: boolean;
  readonly inodesUsed: number;
  readonly inodes: number;
  readonly blocksUsed: number;
  readonly blocks: number;
}

/**
 * Check a file system.
 *
 *     const { clean, findings } = check(disk);
 *     for (const { rule, message } of findings) console.log(rule, message);
 */
export function check(device: BlockDevice, options: CheckOptions = {}): CheckResult {
  const findings = new Findings();
  const run = new Run(device, findings, options);
  try {
    run.all();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    findings.add(
      error instanceof Abandoned ? 'check.abandoned' : 'device.read',
      `The check ended early: ${message}`,
    );
  }
  return run.result();
}

class Run {
  readonly #device: BlockDevice;
  readonly #findings: Findings;
  readonly #options: CheckOptions;
  #context: Context | undefined;
  #needsRecovery = false;

  constructor(device: BlockDevice, findings: Findings, options: CheckOptions) {
    this.#device = device;
    this.#findings = findings;
    this.#options = options;
  }

  all(): void {
    const bytes = new Uint8Array(abi.SB_SIZE);
    if (this.#device.sizeBytes < abi.SB_OFFSET + abi.SB_SIZE) {
      this.#findings.add('super.magic', 'The device is too small for a file system');
      return;
    }
    readBytes(this.#device, abi.SB_OFFSET, bytes);
    const geometry = soundSuper(this.#findings, bytes, this.#device.sizeBytes);
    if (geometry === undefined) return;
    const context = new Context(this.#findings, new Blocks(this.#device, geometry.blockSize), geometry);
    this.#context = context;
    const { onProgress = () => {}, now = Math.floor(Date.now() / 1000) } = this.#options;
    onProgress('super', 0, 1);
    checkSuper(context, now);
    if (!readGroups(context) || !checkGroups(context)) return;
    checkBackups(context);
    this.#needsRecovery = checkJournal(context);
    if (this.#needsRecovery)
      context.find('journal.recovery', 'The journal needs to be replayed', { note: true });
    readOrphans(context);
    context.onStep = (done) => onProgress('inodes', done, geometry.groups);
    claimMetadata(context);
    checkResizeInode(context);
    checkInodes(context);
    keepUnnamed(context);
    onProgress('directories', 0, 1);
    checkDirectories(context);
    onProgress('links', 0, 1);
    checkConnections(context);
    checkLinks(context);
    onProgress('bitmaps', 0, 1);
    checkBitmaps(context);
    onProgress('bitmaps', 1, 1);
  }

  result(): CheckResult {
    const sb = this.#context?.sb;
    return {
      clean: this.#findings.damaged === 0,
      findings: this.#findings.list,
      damaged: this.#findings.damaged,
      needsRecovery: this.#needsRecovery,
      inodes: sb?.inodesCount ?? 0,
      inodesUsed: sb ? sb.inodesCount - sb.u32(abi.SB_FREE_INODES_COUNT) : 0,
      blocks: sb?.blocksCount ?? 0,
      blocksUsed: sb ? sb.blocksCount - sb.freeBlocks : 0,
    };
  }
}
