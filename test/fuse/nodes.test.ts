/** Node ids: what Linux knows costs the machine nothing, and stays what it was told until it is forgotten. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EDEADLK, EINTR, ENOENT, ESTALE } from '../../assembly/abi/errno.ts';
import { F_RDLCK, F_UNLCK, F_WRLCK, O_RDWR } from '../../assembly/abi/flags.ts';
import { MemoryDisk } from '../../host/devices/index.ts';
import { boot } from '../../host/index.ts';
import { mkfs } from '../../host/ext4/mkfs.ts';
import * as fuse from '../../host/fuse/protocol.ts';
import { bytes32, bytes64, lock, Rig, text } from './rig.ts';

const ROOT = fuse.FUSE_ROOT_ID;
let rig: Rig;

/** A server of a tmpfs, or of an ext4. */
const KINDS = {
  async tmpfs() {
    return Rig.start();
  },
  async ext4() {
    const disk = new MemoryDisk({ sizeBytes: 16 << 20 });
    mkfs(disk);
    const booted = await boot({ flavour: 'up-debug', ram: 16 << 20, disks: [disk] });
    booted.init.mount('/dev/vbd0', '/mnt', 'ext4');
    const started = new Rig(booted, {});
    started.init();
    return started;
  },
};

describe.each(Object.keys(KINDS) as (keyof typeof KINDS)[])('%s', (kind) => {
  beforeEach(async () => {
    rig = await KINDS[kind]();
  });
  afterEach(() => rig.end());

  it('is counted as often as it is told of, and gone when that is forgotten', () => {
    const dir = rig.mkdir(ROOT, 'dir');
    expect(rig.lookup(ROOT, 'dir')).toBe(dir);
    expect(rig.server.nodes.size).toBe(2);
    rig.forget(dir, 1);
    expect(rig.server.nodes.size).toBe(2);
    rig.forget(dir, 1);
    expect(rig.server.nodes.size).toBe(1);
    // what is forgotten may still be asked for: its id says what it is
    expect(rig.ask(fuse.FUSE_GETATTR, dir, bytes64(0, 0)).error).toBe(0);
  });

  it('finds directories whose names were taken back, at any depth', () => {
    let at = ROOT;
    const path: number[] = [];
    for (let depth = 0; depth < 20; depth++) {
      for (let i = 0; i < 5; i++) rig.mkdir(at, `other-${i}`);
      at = rig.mkdir(at, `depth-${depth}`);
      path.push(at);
    }
    const { id } = rig.create(at, 'leaf', O_RDWR);
    // the descriptors kept for their next use hold names: push them out
    for (let i = 0; i < 200; i++) rig.ask(fuse.FUSE_GETATTR, rig.mkdir(ROOT, `many-${i}`), bytes64(0, 0));
    rig.machine.reclaim();
    expect(rig.lookup(at, 'leaf')).toBe(id);
    expect(rig.lookup(path[9], 'depth-10')).toBe(path[10]);
    // its name is the one that a walk finds
    expect(
      rig.ask(fuse.FUSE_RENAME, path[3], Buffer.concat([bytes64(ROOT), text('depth-4', 'moved')])).error,
    ).toBe(0);
    const tail = Array.from({ length: 15 }, (_, i) => `depth-${i + 5}`).join('/');
    expect(rig.machine.fs.existsSync(`/mnt/moved/${tail}/leaf`)).toBe(true);
  });

  it('keeps a removed file while it is known', () => {
    const { id, fh } = rig.create(ROOT, 'file', O_RDWR);
    rig.ask(
      fuse.FUSE_WRITE,
      id,
      Buffer.concat([bytes64(fh, 0), bytes32(4, 0), Buffer.alloc(16), Buffer.from('data')]),
    );
    rig.ask(fuse.FUSE_RELEASE, id, Buffer.concat([bytes64(fh), Buffer.alloc(16)]));
    expect(rig.ask(fuse.FUSE_UNLINK, ROOT, text('file')).error).toBe(0);
    const attr = rig.ask(fuse.FUSE_GETATTR, id, bytes64(0, 0));
    expect(attr.body.readUInt32LE(fuse.ATTR_OUT_ATTR + fuse.ATTR_NLINK)).toBe(0);
    const open = rig.ask(fuse.FUSE_OPEN, id, bytes32(O_RDWR, 0));
    const again = Number(open.body.readBigUInt64LE(fuse.OPEN_OUT_FH));
    const read = rig.ask(
      fuse.FUSE_READ,
      id,
      Buffer.concat([bytes64(again, 0), bytes32(10, 0), Buffer.alloc(16)]),
    );
    expect(read.body.toString()).toBe('data');
    // no other file gets its number meanwhile
    for (let i = 0; i < 50; i++) expect(rig.create(ROOT, `new-${i}`, O_RDWR).id).not.toBe(id);
    rig.ask(fuse.FUSE_RELEASE, id, Buffer.concat([bytes64(again), Buffer.alloc(16)]));
    rig.forget(id, 1);
    expect(rig.ask(fuse.FUSE_GETATTR, id, bytes64(0, 0)).error).toBe(ESTALE);
  });

  it('keeps a file that another was renamed over, and a removed directory', () => {
    const { id } = rig.create(ROOT, 'lost', O_RDWR);
    rig.create(ROOT, 'kept', O_RDWR);
    const dir = rig.mkdir(ROOT, 'dir');
    expect(rig.ask(fuse.FUSE_RENAME, ROOT, Buffer.concat([bytes64(ROOT), text('kept', 'lost')])).error).toBe(
      0,
    );
    expect(rig.ask(fuse.FUSE_RMDIR, ROOT, text('dir')).error).toBe(0);
    expect(rig.ask(fuse.FUSE_GETATTR, id, bytes64(0, 0)).error).toBe(0);
    expect(rig.ask(fuse.FUSE_GETATTR, dir, bytes64(0, 0)).error).toBe(0);
    expect(rig.ask(fuse.FUSE_MKDIR, dir, Buffer.concat([bytes32(0o755, 0), text('in')])).error).toBe(ENOENT);
  });

  it('has generations: a number that is used again is not the file that it was', () => {
    const seen = new Map<number, bigint>();
    for (let i = 0; i < 200; i++) {
      const { body } = rig.ask(fuse.FUSE_MKNOD, ROOT, Buffer.concat([bytes32(0o100644, 0, 0, 0), text('f')]));
      const id = Number(body.readBigUInt64LE(fuse.ENTRY_NODEID));
      const generation = body.readBigUInt64LE(fuse.ENTRY_GENERATION);
      expect(seen.get(id)).not.toBe(generation);
      seen.set(id, generation);
      rig.ask(fuse.FUSE_UNLINK, ROOT, text('f'));
      rig.forget(id, 1);
    }
  });

  it('lists with attributes what a lookup would say, and counts it', () => {
    for (let i = 0; i < 300; i++) rig.forget(rig.create(ROOT, `file-${i}`, O_RDWR).id, 1);
    const { body } = rig.ask(fuse.FUSE_OPENDIR, ROOT, bytes32(0, 0));
    const fh = Number(body.readBigUInt64LE(fuse.OPEN_OUT_FH));
    const names = new Map<string, number>();
    let offset = 0n;
    for (;;) {
      const list = rig.ask(
        fuse.FUSE_READDIRPLUS,
        ROOT,
        Buffer.concat([bytes64(fh, offset), bytes32(4096, 0), Buffer.alloc(16)]),
      ).body;
      if (list.length === 0) break;
      for (let at = 0; at < list.length; ) {
        const dirent = at + fuse.ENTRY_OUT;
        const length = list.readUInt32LE(dirent + fuse.DIRENT_NAMELEN);
        const name = list.toString('latin1', dirent + fuse.DIRENT, dirent + fuse.DIRENT + length);
        expect(names.has(name)).toBe(false);
        names.set(name, Number(list.readBigUInt64LE(at + fuse.ENTRY_NODEID)));
        offset = list.readBigUInt64LE(dirent + fuse.DIRENT_OFF);
        at = dirent + ((fuse.DIRENT + length + 7) & ~7);
      }
    }
    const files = [...names].filter(([name]) => name.startsWith('file-'));
    expect(files.length).toBe(300);
    expect(names.get('.')).toBe(0);
    const before = rig.server.nodes.size;
    for (const [name, id] of files) {
      expect(rig.lookup(ROOT, name)).toBe(id);
      rig.forget(id, 2);
    }
    expect(before - rig.server.nodes.size).toBe(300);
  });
});

describe('locks', () => {
  beforeEach(async () => {
    rig = await Rig.start();
  });
  afterEach(() => rig.end());

  it('are answered when they are had', () => {
    const { id, fh } = rig.create(ROOT, 'file', O_RDWR);
    expect(rig.ask(fuse.FUSE_SETLK, id, lock(fh, 1n, F_WRLCK)).error).toBe(0);
    const refused = rig.ask(fuse.FUSE_SETLK, id, lock(fh, 2n, F_WRLCK));
    expect(refused.error).toBeGreaterThan(0);
    const waiting = rig.send(fuse.FUSE_SETLKW, id, lock(fh, 2n, F_WRLCK, 50, 60));
    expect(rig.take(waiting)).toBe(undefined);
    const inTheWay = rig.ask(fuse.FUSE_GETLK, id, lock(fh, 3n, F_RDLCK, 10, 20, 0, 77));
    expect([
      inTheWay.body.readUInt32LE(fuse.LK_OUT_TYPE),
      inTheWay.body.readBigUInt64LE(fuse.LK_OUT_END),
    ]).toEqual([F_WRLCK, 99n]);
    expect(rig.ask(fuse.FUSE_SETLK, id, lock(fh, 1n, F_UNLCK, 40, 70)).error).toBe(0);
    expect(rig.take(waiting)?.error).toBe(0);
  });

  it('go with the close of their owner, and an interrupted wait has its answer', () => {
    const { id, fh } = rig.create(ROOT, 'file', O_RDWR);
    rig.ask(fuse.FUSE_SETLK, id, lock(fh, 1n, F_WRLCK));
    const first = rig.send(fuse.FUSE_SETLKW, id, lock(fh, 2n, F_WRLCK));
    const second = rig.send(fuse.FUSE_SETLKW, id, lock(fh, 3n, F_WRLCK));
    rig.send(fuse.FUSE_INTERRUPT, 0, bytes64(first));
    expect(rig.take(first)?.error).toBe(EINTR);
    expect(rig.ask(fuse.FUSE_FLUSH, id, Buffer.concat([bytes64(fh, 0), bytes64(1n)])).error).toBe(0);
    expect(rig.take(second)?.error).toBe(0);
  });

  it('that would wait for each other are EDEADLK', () => {
    const { id, fh } = rig.create(ROOT, 'file', O_RDWR);
    rig.ask(fuse.FUSE_SETLK, id, lock(fh, 1n, F_WRLCK, 0, 9));
    rig.ask(fuse.FUSE_SETLK, id, lock(fh, 2n, F_WRLCK, 10, 19));
    const waiting = rig.send(fuse.FUSE_SETLKW, id, lock(fh, 1n, F_WRLCK, 10, 19));
    expect(rig.take(waiting)).toBe(undefined);
    expect(rig.ask(fuse.FUSE_SETLKW, id, lock(fh, 2n, F_WRLCK, 0, 9)).error).toBe(EDEADLK);
  });

  it("of flock are the open file's", () => {
    const { id, fh } = rig.create(ROOT, 'file', O_RDWR);
    const other = Number(
      rig.ask(fuse.FUSE_OPEN, id, bytes32(O_RDWR, 0)).body.readBigUInt64LE(fuse.OPEN_OUT_FH),
    );
    const flock = (file: number, type: number) => lock(file, 0n, type, 0, 99, fuse.FUSE_LK_FLOCK);
    expect(rig.ask(fuse.FUSE_SETLK, id, flock(fh, F_WRLCK)).error).toBe(0);
    const waiting = rig.send(fuse.FUSE_SETLKW, id, flock(other, F_RDLCK));
    expect(rig.take(waiting)).toBe(undefined);
    rig.ask(fuse.FUSE_RELEASE, id, Buffer.concat([bytes64(fh), Buffer.alloc(16)]));
    expect(rig.take(waiting)?.error).toBe(0);
  });
});
