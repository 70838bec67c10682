/** What a campaign adds up to: images by the structure that was damaged, and how many of them mounted. */
import type { Visited } from './visit.ts';

interface Count {
  images: number;
  mounted: number;
  sealed: number;
}

export class Tally {
  readonly all: Count = { images: 0, mounted: 0, sealed: 0 };
  readonly kinds = new Map<string, Count>();
  /** Requests of the call that made most of them. */
  most = 0;

  add({ kinds, mounted, sealed, most }: Visited): void {
    this.most = Math.max(this.most, most);
    for (const count of [this.all, ...kinds.map((kind) => this.#kind(kind))]) {
      count.images++;
      if (mounted) count.mounted++;
      if (sealed) count.sealed++;
    }
  }

  #kind(kind: string): Count {
    const count = this.kinds.get(kind) ?? { images: 0, mounted: 0, sealed: 0 };
    this.kinds.set(kind, count);
    return count;
  }

  get mountedShare(): number {
    return this.all.mounted / this.all.images;
  }

  describe(): string {
    const line = (name: string, { images, mounted, sealed }: Count) =>
      `${name.padEnd(12)} ${images} images, ${((100 * mounted) / images).toFixed(0)} % mounted, ` +
      `${((100 * sealed) / images).toFixed(0)} % with checksums made anew`;
    const kinds = [...this.kinds].sort(([a], [b]) => (a < b ? -1 : 1));
    return [
      line('all', this.all),
      ...kinds.map(([kind, count]) => `  ${line(kind, count)}`),
      `the call with most requests made ${this.most}`,
    ].join('\n');
  }
}
