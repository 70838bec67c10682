/** A fifo: what one process writes, another reads, each waiting for the other. */
import { createHash } from 'node:crypto';
import { S_IFIFO, S_IFMT } from '../../../assembly/abi/flags.ts';
import { formatBytes, formatCount } from '../values.ts';
import { check, type Scene } from './scene.ts';
import { largestFile } from './subjects.ts';

const CHUNK_BYTES = 48 * 1024;

export async function fifo({ machine, imported, say }: Scene): Promise<void> {
  const path = '/tmp/fifo';
  const subject = largestFile(imported, machine.fs);
  machine.init.mkfifo(path);
  machine.fs.chmodSync(path, 0o622);
  check((machine.fs.lstatSync(path).mode & S_IFMT) === S_IFIFO, `${path} is no fifo`);
  const writer = machine.process({ uid: 1000, gid: 1000 });
  const reader = machine.process();
  const hash = createHash('sha256');
  let received = 0;
  let reads = 0;
  const writing = async () => {
    const source = await machine.fs.promises.readFile(subject.path);
    const end = await writer.fs.promises.open(path, 'w');
    for (let at = 0; at < source.length; at += CHUNK_BYTES)
      await end.writeFile(source.subarray(at, at + CHUNK_BYTES));
    await end.close();
  };
  const reading = async () => {
    const end = await reader.fs.promises.open(path, 'r');
    const buffer = Buffer.alloc(CHUNK_BYTES);
    for (;;) {
      const { bytesRead } = await end.read(buffer, 0, buffer.length, null);
      if (bytesRead === 0) break;
      hash.update(buffer.subarray(0, bytesRead));
      received += bytesRead;
      reads++;
    }
    await end.close();
  };
  try {
    await Promise.all([writing(), reading()]);
  } finally {
    writer.exit();
    reader.exit();
    machine.fs.unlinkSync(path);
  }
  check(received === subject.size, `${received} bytes came through, not ${subject.size}`);
  check(hash.digest('hex') === subject.digest, 'the bytes that came through differ');
  say(`process ${writer.pid} (user 1000) wrote ${subject.path}, process ${reader.pid} (root) read it:`);
  say(`${formatBytes(received)} in ${formatCount(reads, 'read')}, then end of file; SHA-256 equal`);
}
