/** A block device's node, or a file with an image, as the image tools' device. */
import { BLKDISCARD, BLKGETSIZE64, BLKROGET, BLKSSZGET, BLKZEROOUT } from '../../../assembly/abi/disk.ts';
import { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE } from '../../../assembly/abi/flags.ts';
import { Device, DiskError, type DiskErrorCode } from '../../devices/types.ts';
import type { Tool } from './command.ts';
import { Failure, strerror } from './errors.ts';

const CODES: ReadonlySet<string> = new Set(['EROFS', 'ENOSPC', 'EINVAL']);
const SECTOR_BYTES = 512;
/** Zeros that are written where nothing better can be done. */
const ZEROES_BYTES = 2 ** 16;

interface Opened {
  readonly fd: number;
  readonly isBlock: boolean;
  readonly sizeBytes: number;
  readonly sectorBytes: 512 | 4096;
  readonly readOnly: boolean;
}

function opened(tool: Tool, path: string, isWriting: boolean): Opened {
  const fd = tool.fs.openSync(path, isWriting ? 'r+' : 'r');
  const stats = tool.fs.fstatSync(fd);
  const isBlock = stats.isBlockDevice();
  if (!isBlock && !stats.isFile()) {
    tool.process.close(fd);
    throw new Failure(`${path} is not a block device or a regular file`, 8);
  }
  if (!isBlock)
    return {
      fd,
      isBlock,
      sizeBytes: stats.size - (stats.size % SECTOR_BYTES),
      sectorBytes: SECTOR_BYTES,
      readOnly: !isWriting,
    };
  const number = (command: number, bytes: number): number => {
    const answer = new Uint8Array(bytes);
    tool.process.ioctl(fd, command, answer);
    const view = new DataView(answer.buffer);
    return bytes === 8 ? Number(view.getBigUint64(0, true)) : view.getUint32(0, true);
  };
  const readOnly = !isWriting || number(BLKROGET, 4) !== 0;
  return {
    fd,
    isBlock,
    sizeBytes: number(BLKGETSIZE64, 8),
    sectorBytes: number(BLKSSZGET, 4) as 512 | 4096,
    readOnly,
  };
}

export class NodeDisk extends Device {
  readonly #tool: Tool;
  readonly #opened: Opened;

  private constructor(tool: Tool, node: Opened) {
    super({ ...node, writeCache: true, discards: true });
    this.#tool = tool;
    this.#opened = node;
  }

  /** @throws Failure when it cannot be opened, or is nothing of the kind */
  static open(tool: Tool, path: string, isWriting: boolean, status = 1): NodeDisk {
    try {
      const node = opened(tool, path, isWriting);
      if (node.sizeBytes > 0) return new NodeDisk(tool, node);
      tool.process.close(node.fd);
    } catch (error) {
      if (error instanceof Failure) throw error;
      throw new Failure(`${strerror(error)} while trying to open ${path}`, status);
    }
    throw new Failure(`${path} is empty`, status);
  }

  /** @throws DiskError */
  #call<T>(offBytes: number, what: string, call: () => T): T {
    try {
      return call();
    } catch (error) {
      const { code = '' } = error as { code?: string };
      throw new DiskError((CODES.has(code) ? code : 'EIO') as DiskErrorCode, offBytes, what, {
        cause: error,
      });
    }
  }

  protected readSectors(offBytes: number, into: Uint8Array, at: number, lenBytes: number): void {
    const { fs } = this.#tool;
    this.#call(offBytes, 'read', () => {
      for (let done = 0; done < lenBytes; ) {
        const got = fs.readSync(this.#opened.fd, into, at + done, lenBytes - done, offBytes + done);
        if (got === 0) throw new DiskError('EIO', offBytes + done, 'the device ends there');
        done += got;
      }
    });
  }

  protected writeSectors(
    offBytes: number,
    from: Uint8Array,
    at: number,
    lenBytes: number,
    fua: boolean,
  ): void {
    const { fs } = this.#tool;
    this.#call(offBytes, 'write', () => {
      for (let done = 0; done < lenBytes; )
        done += fs.writeSync(this.#opened.fd, from, at + done, lenBytes - done, offBytes + done);
      if (fua) fs.fsyncSync(this.#opened.fd);
    });
  }

  protected flushSectors(): void {
    this.#call(0, 'flush', () => this.#tool.fs.fsyncSync(this.#opened.fd));
  }

  #range(command: number, offBytes: number, lenBytes: number): void {
    const argument = new Uint8Array(16);
    const view = new DataView(argument.buffer);
    view.setBigUint64(0, BigInt(offBytes), true);
    view.setBigUint64(8, BigInt(lenBytes), true);
    this.#tool.process.ioctl(this.#opened.fd, command, argument);
  }

  #punch(offBytes: number, lenBytes: number): void {
    this.#tool.process.fallocate(
      this.#opened.fd,
      FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
      offBytes,
      lenBytes,
    );
  }

  /** What cannot be discarded stays: nobody may rely on it. */
  protected discardSectors(offBytes: number, lenBytes: number): void {
    try {
      if (this.#opened.isBlock) this.#range(BLKDISCARD, offBytes, lenBytes);
      else this.#punch(offBytes, lenBytes);
    } catch (error) {
      if ((error as { code?: string }).code !== 'EOPNOTSUPP')
        throw new DiskError('EIO', offBytes, 'discard', { cause: error });
    }
  }

  protected zeroSectors(offBytes: number, lenBytes: number): void {
    try {
      if (this.#opened.isBlock) this.#range(BLKZEROOUT, offBytes, lenBytes);
      else this.#punch(offBytes, lenBytes);
      return;
    } catch (error) {
      if ((error as { code?: string }).code !== 'EOPNOTSUPP')
        throw new DiskError('EIO', offBytes, 'zeroing', { cause: error });
    }
    const zeroes = new Uint8Array(ZEROES_BYTES);
    for (let done = 0; done < lenBytes; done += zeroes.length)
      this.writeSectors(offBytes + done, zeroes, 0, Math.min(zeroes.length, lenBytes - done), false);
  }

  protected override release(): void {
    this.#tool.process.close(this.#opened.fd);
  }
}
