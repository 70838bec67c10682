/**
 * Those who mount by fusermount3 get the device as a descriptor, which a running Node cannot receive. A process
 * of Perl receives it and stays: it passes on requests, answers and notifications, each by a process of its own,
 * since each may block.
 *
 *     /dev/fuse ─→ reader ─ socket 3 ─→ this process ─ socket 4 ─→ writer ─→ /dev/fuse
 *                                            └─ socket 5 ─→ notifier ─→ /dev/fuse
 *
 * When socket 4 ends, because this process did, the writer takes the mount away.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { EBUSY } from '../../../assembly/abi/errno.ts';
import { RECEIVE } from '../launcher.ts';
import * as fuse from '../protocol.ts';
import { Request } from '../request.ts';
import { MAX_REQUEST } from '../server.ts';
import type { Channel, Receiver } from './channel.ts';
import { ownTid } from './procs.ts';
import { UNWAITED } from './unwaited.ts';

/** $fd is the device. The words after the options: the serving thread, opcodes that nobody waits for. */
const RELAY = `${RECEIVE}
my ($tid, @unwaited) = @command;
my %unwaited = map { $_ => 1 } @unwaited;
$SIG{PIPE} = 'IGNORE';
sub put { my ($to, $bytes) = @_;
  while (length $bytes) {
    my $n = POSIX::write($to, $bytes, length $bytes);
    if (!defined $n) { next if $!{EINTR}; return 0 }
    substr($bytes, 0, $n) = '';
  }
  1 }
sub take { my ($from, $want) = @_; my $all = '';
  while (length $all < $want) {
    my $n = POSIX::read($from, my $some, $want - length $all);
    if (!defined $n) { next if $!{EINTR}; return }
    return if $n == 0; # which is said as "0 but true"
    $all .= $some;
  }
  $all }
my $reader = $$;
my $notifier = fork() // die "fork: $!\\n";
if ($notifier == 0) {
  POSIX::close($_) for 3, 4;
  while (defined(my $size = take(5, 4))) {
    my $batch = take(5, unpack 'L', $size) // last;
    while (length $batch) {
      my $length = unpack 'L', $batch;
      POSIX::write($fd, $batch, $length);
      substr($batch, 0, $length) = '';
    }
    put(5, '.') or last;
  }
  POSIX::_exit(0);
}
my $writer = fork() // die "fork: $!\\n";
if ($writer == 0) {
  POSIX::close($_) for 3, 5;
  while (defined(my $size = take(4, 4))) {
    my $answer = take(4, unpack('L', $size) - 4) // last;
    POSIX::write($fd, $size . $answer, 4 + length $answer);
  }
  kill 'KILL', $reader, $notifier;
  POSIX::close($fd);
  exec('fusermount3', '-u', '-z', '-q', '--', $dir);
}
POSIX::close($_) for 4, 5;
while (1) {
  my $n = POSIX::read($fd, my $request, ${MAX_REQUEST});
  if (!defined $n) { next if $!{EINTR} || $!{ENOENT} || $!{EAGAIN}; last }
  last if $n == 0;
  my ($opcode, $unique, $pid) = unpack 'x4 L a8 x16 L', $request;
  if ($pid == $tid && !$unwaited{$opcode}) { POSIX::write($fd, pack('L l a8', ${fuse.FUSE_OUT_HEADER}, -${EBUSY}, $unique), ${fuse.FUSE_OUT_HEADER}) }
  # nobody is there any more: what is mounted is the writer's to take away
  elsif (!put(3, $request)) { POSIX::_exit(0) }
}
kill 'KILL', $writer, $notifier;
`;

export class RelayChannel implements Channel {
  readonly #child: ChildProcess;
  readonly #requests: Socket;
  readonly #answers: Socket;
  readonly #notifications: Socket;
  readonly #request = new Request(new ArrayBuffer(MAX_REQUEST));
  readonly #waiting: (() => void)[] = [];
  #have = 0;
  #open = true;
  #complaint = '';

  constructor(directory: string, options: string) {
    const words = [directory, options, `${ownTid()}`, ...[...UNWAITED].map(String)];
    this.#child = spawn('perl', ['-e', RELAY, ...words], {
      // a terminal's ^C is for this process
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
    });
    const [, , stderr, requests, answers, notifications] = this.#child.stdio as unknown as Socket[];
    this.#requests = requests;
    this.#answers = answers;
    this.#notifications = notifications;
    for (const socket of [requests, answers, notifications]) socket.on('error', () => undefined);
    stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#complaint += text;
    });
    for (const part of [this.#child, stderr, answers, notifications]) part.unref();
  }

  /** Resolved when it is mounted: the first request has come. Rejected with what fusermount3 says. */
  mounted(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#requests.once('readable', resolve);
      this.#child.once('error', (error) => reject(new Error(`cannot run perl: ${error.message}`)));
      this.#child.once('close', () => reject(new Error(this.#complaint.trim() || 'fusermount3 failed')));
    });
  }

  start(receiver: Receiver): void {
    this.#requests.on('data', (chunk: Buffer) => {
      this.#take(chunk, receiver);
      if (this.#open) receiver.idle();
    });
    this.#requests.on('close', () => {
      if (!this.#open) return;
      this.#open = false;
      receiver.ended();
    });
    this.#notifications.on('data', (done: Buffer) => {
      for (const resolve of this.#waiting.splice(0, done.length)) resolve();
    });
  }

  /** Requests one behind the other, in pieces. */
  #take(chunk: Buffer, receiver: Receiver): void {
    const { bytes } = this.#request;
    for (let at = 0; at < chunk.length && this.#open; ) {
      const head = Math.min(Math.max(fuse.FUSE_IN_HEADER - this.#have, 0), chunk.length - at);
      bytes.set(chunk.subarray(at, at + head), this.#have);
      this.#have += head;
      at += head;
      if (this.#have < fuse.FUSE_IN_HEADER) return;
      const rest = Math.min(this.#request.claimed - this.#have, chunk.length - at);
      bytes.set(chunk.subarray(at, at + rest), this.#have);
      this.#have += rest;
      at += rest;
      if (this.#have < this.#request.claimed) return;
      this.#have = 0;
      receiver.request(this.#request, this.#request.claimed);
    }
  }

  write(bytes: Uint8Array, length: number): void {
    if (this.#open) this.#answers.write(Buffer.from(bytes.subarray(0, length)));
  }

  notify(batch: Uint8Array): Promise<void> {
    if (!this.#open) return Promise.resolve();
    const size = Buffer.alloc(4);
    size.writeUInt32LE(batch.length);
    this.#notifications.write(size);
    this.#notifications.write(batch);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  close(): void {
    this.#open = false;
    for (const resolve of this.#waiting.splice(0)) resolve();
    for (const socket of [this.#requests, this.#notifications, this.#answers]) socket.destroy();
  }

  ref(): void {
    this.#requests.ref();
  }

  unref(): void {
    this.#requests.unref();
  }
}
