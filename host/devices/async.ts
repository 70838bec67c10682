/** A device that is synchronous, to be used as one that is not. */
import type { AsyncBlockDevice, BlockDevice, SectorBytes } from './types.ts';

export class AsyncDisk implements AsyncBlockDevice {
  readonly device: BlockDevice;
  readonly #turn: () => Promise<void>;

  /**
   * @param turn  waited for before each request is done, so that others can come between. Default: a
   *   turn of the queue of promises.
   */
  constructor(device: BlockDevice, turn: () => Promise<void> = () => Promise.resolve()) {
    this.device = device;
    this.#turn = turn;
  }

  get sizeBytes(): number {
    return this.device.sizeBytes;
  }

  get sectorBytes(): SectorBytes {
    return this.device.sectorBytes;
  }

  get readOnly(): boolean {
    return this.device.readOnly;
  }

  get writeCache(): boolean {
    return this.device.writeCache;
  }

  get discards(): boolean {
    return this.device.discards;
  }

  async read(offBytes: number, into: Uint8Array, at: number, lenBytes: number): Promise<void> {
    await this.#turn();
    this.device.read(offBytes, into, at, lenBytes);
  }

  async write(
    offBytes: number,
    from: Uint8Array,
    at: number,
    lenBytes: number,
    fua?: boolean,
  ): Promise<void> {
    await this.#turn();
    this.device.write(offBytes, from, at, lenBytes, fua);
  }

  async flush(): Promise<void> {
    await this.#turn();
    this.device.flush();
  }

  async discard(offBytes: number, lenBytes: number): Promise<void> {
    await this.#turn();
    this.device.discard(offBytes, lenBytes);
  }

  async writeZeroes(offBytes: number, lenBytes: number): Promise<void> {
    await this.#turn();
    this.device.writeZeroes(offBytes, lenBytes);
  }

  async close(): Promise<void> {
    await this.#turn();
    this.device.close();
  }
}
