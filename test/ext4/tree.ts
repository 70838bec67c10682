/** A tree of files for the tests of ext4, made on any file system, and what there is to compare of one. */
import type * as nodeFs from 'node:fs';

/** What both node:fs and a machine's fs have. */
export type Fs = Pick<
  typeof nodeFs,
  | 'mkdirSync'
  | 'writeFileSync'
  | 'symlinkSync'
  | 'linkSync'
  | 'readdirSync'
  | 'lstatSync'
  | 'readFileSync'
  | 'readlinkSync'
  | 'chmodSync'
  | 'utimesSync'
>;

/** Some of everything: directories with few and many names, files of all sizes, short and long links. */
export function plant(fs: Fs, top: string, names = 300): void {
  fs.mkdirSync(`${top}/empty`);
  fs.mkdirSync(`${top}/deep/er/and/deeper/still`, { recursive: true });
  fs.mkdirSync(`${top}/many`);
  for (let i = 0; i < names; i++)
    fs.writeFileSync(`${top}/many/name number ${i} of many${'x'.repeat(i % 40)}`, `${i}`);
  for (const size of [0, 1, 59, 60, 100, 150, 1023, 1024, 4096, 5000, 13 * 1024, 100_000])
    fs.writeFileSync(`${top}/deep/file${size}`, Buffer.alloc(size, `content of ${size}. `));
  fs.symlinkSync('deep/file100', `${top}/short`);
  fs.symlinkSync(`${'long/'.repeat(40)}end`, `${top}/long`);
  fs.symlinkSync('y'.repeat(59), `${top}/deep/link59`);
  fs.symlinkSync('y'.repeat(60), `${top}/deep/link60`);
  fs.linkSync(`${top}/deep/file5000`, `${top}/deep/er/linked`);
  fs.writeFileSync(`${top}/${'n'.repeat(255)}`, 'a long name');
  fs.writeFileSync(`${top}/ünïcödé ☃`, 'not ASCII');
  fs.chmodSync(`${top}/deep/file100`, 0o4751);
  fs.utimesSync(`${top}/deep/file1`, 1_000_000_000, 1_234_567_890);
}

/** Every path below `top` with type, mode, links, size, times and content. */
export function listing(fs: Fs, top: string, { times = true } = {}): Map<string, string> {
  const found = new Map<string, string>();
  const todo = [''];
  for (let path = todo.pop(); path !== undefined; path = todo.pop()) {
    const full = `${top}${path}`;
    const stat = fs.lstatSync(full);
    const parts = [stat.mode.toString(8), stat.uid, stat.gid, stat.nlink];
    if (times) parts.push(Math.floor(stat.mtimeMs / 1000));
    if (stat.isDirectory()) {
      for (const name of fs.readdirSync(full))
        if (name !== 'lost+found' || path !== '') todo.push(`${path}/${name}`);
    } else if (stat.isSymbolicLink()) parts.push(fs.readlinkSync(full));
    else if (stat.isFile()) parts.push(stat.size, Buffer.from(fs.readFileSync(full)).toString('latin1'));
    if (path !== '') found.set(path, parts.join(' '));
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}
