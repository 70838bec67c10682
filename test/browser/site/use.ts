/** A machine put to use through everything that a web API may refuse when memory is shared. */
import type { Machine } from 'damselfly';

const encoder = new TextEncoder();

/** Bytes of the caller's in shared memory where the machine's are. */
function bytesLike(machine: Machine, text: string): Uint8Array {
  const bytes = encoder.encode(text);
  if (!machine.flavour.startsWith('smp')) return bytes;
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  return shared;
}

function message(work: () => unknown): string {
  try {
    return `no error but ${work()}`;
  } catch (error) {
    return (error as Error).message;
  }
}

function streamed(stream: NodeJS.ReadableStream): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    stream.setEncoding('utf8');
    stream.on('data', (part: string) => {
      text += part;
    });
    stream.on('end', () => resolve(text));
    stream.on('error', reject);
  });
}

/** Plain data that say how it went. */
export async function useMachine(machine: Machine): Promise<unknown> {
  const { fs } = machine;
  const path = (text: string) => bytesLike(machine, text) as Buffer;
  fs.mkdirSync('/tmp/größe');
  fs.writeFileSync('/tmp/größe/✓', bytesLike(machine, 'shared bytes ✓'));
  fs.symlinkSync('größe', '/tmp/link ✓');
  const fd = fs.openSync('/tmp/größe/✓', 'r');
  const into = bytesLike(machine, '................');
  const read = fs.readSync(fd, into, 2, 6, 0);
  fs.closeSync(fd);
  const random = bytesLike(machine, '0'.repeat(4096));
  const urandom = fs.openSync('/dev/urandom', 'r');
  const randomRead = fs.readSync(urandom, random);
  const directory = fs.mkdtempSync('/tmp/temporary-');
  const blob = await fs.openAsBlob('/tmp/größe/✓', { type: 'text/plain' });
  const writer = fs.createWriteStream('/tmp/streamed');
  await new Promise<void>((resolve) => {
    writer.end('through a stream ✓', resolve);
  });
  const user = machine.process({ uid: 1000, gid: 1000, groups: [7] });
  fs.chownSync('/tmp/link ✓', 1000, 1000);
  user.setxattr('/tmp/link ✓', 'user.nämé', bytesLike(machine, 'x'));
  const result = {
    kind: Object.prototype.toString.call(machine.cpu.u8.buffer),
    text: fs.readFileSync('/tmp/link ✓/✓', 'utf8'),
    link: fs.readlinkSync('/tmp/link ✓'),
    real: fs.realpathSync(path('/tmp/link ✓/✓')),
    names: fs.readdirSync('/tmp/größe'),
    entries: fs.readdirSync(path('/tmp/größe'), { withFileTypes: true }).map(({ name }) => name),
    read: [read, new TextDecoder().decode(new Uint8Array(into))],
    random: [randomRead, new Set(random).size > 200],
    directory: /^\/tmp\/temporary-\w{6}$/.test(directory),
    blob: [blob.type, await blob.text()],
    stream: await streamed(fs.createReadStream('/tmp/streamed')),
    missing: message(() => fs.readFileSync(path('/nö'))),
    unreal: message(() => fs.realpathSync(path('/tmp/nö/x'))),
    removed: message(() => fs.rmSync(path('/tmp/größe'))),
    made: fs.mkdirSync(path('/tmp/ö/p'), { recursive: true }),
    waits: message(() => user.poll([], 20)),
    attributes: user.listxattr(path('/tmp/link ✓')),
    mounts: fs.readFileSync('/proc/mounts', 'utf8').includes('tmpfs'),
    frames: machine.snapshot().bytes.length > 0,
  };
  machine.shutdown();
  return result;
}
