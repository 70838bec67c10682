#!/usr/bin/env node
/** The command `damselfly`: its arguments, and how it ends. What a subcommand does is loaded with it. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { KernelPanic } from '../machine/panic.ts';
import { CommandError, EXIT_CODES_HELP, EXIT_FAILED, EXIT_OK, EXIT_PANIC, EXIT_USAGE } from './errors.ts';
import { addImgCommands } from './img/command.ts';
import { watchOutput } from './stdout.ts';
import {
  parseDisk,
  parseExport,
  parseImport,
  parseMount,
  parseRoot,
  parseSeed,
  parseSize,
  parseVariable,
} from './values.ts';

const FLAVOURS = ['up', 'smp', 'up-debug', 'smp-debug'];

const BOOT_HELP = `
Import and export keep what \`cp -a\` keeps: owners (export: as root), modes with setuid and sticky,
times to the nanosecond, hard links, symlinks, fifos, device nodes, holes, and extended attributes
where this host has getfattr and setfattr (Debian's package attr). Sockets can be imported, not exported.

On a terminal it ends in a login shell of the machine, which goes when that ends; otherwise in a
shell that reads its commands from standard input. With --tour, --export or --save it does just that.

Examples:
  damselfly boot --import .:/src
      boots a machine with this directory in it, and logs in
  damselfly boot --import .:/src -c 'find /src -type f | wc -l'
      runs a line and ends
  damselfly boot --import .:/src --tour
      boots a machine with RAM that fits this directory, imports it, and checks what it does
  damselfly boot --import ./site:/www --export /www:/tmp/copy
      there and back
  damselfly boot --import .:/src --save m.dfly; damselfly boot --from m.dfly --export /src:out
      a machine put aside, and gone on with by another process
  damselfly boot --import .:/src --mount ~/machine
      its whole tree is a directory of this host until you leave it (docs/mounting.md)
  damselfly boot --disk data.img --disk base.img:ro
      with two disks, /dev/vbd0 and /dev/vbd1; an image that another machine has open is refused
${EXIT_CODES_HELP}`;

const MOUNT_HELP = `
Root needs /dev/fuse; others fusermount3 (Debian's package fuse3) and perl as well. ^C, SIGTERM,
umount(8) and damselfly umount end it, with everything written to the image. docs/mounting.md has all options.

Examples:
  damselfly mount data.img /mnt/data
      until ^C, the files of an ext4 image as a directory
  damselfly mount --daemon disk.img#1 /mnt/data -o ro,allow_other
      its first partition, read-only, for everybody on this host
  damselfly mount --tmpfs 512m ~/scratch
${EXIT_CODES_HELP}`;

const RUN_HELP = `
The exit code is the program's: 126 when it is no WASI command, 127 when it is not there, 128 + n when signal n ended
it. What it writes below a directory that --dir copied is gone with the machine, what it writes to a disk is kept.

Examples:
  damselfly run python.wasm < script.py
  damselfly run --dir ./data:/data --cwd /data python.wasm -c 'import os; print(os.listdir("/data"))'
  damselfly run --disk data.img --root ext4:/dev/vbd0 --guest /bin/prog.wasm --its-own options
`;

const BENCH_HELP = `
The peers memfs and ZenFS (@zenfs/core) take part if they are installed where damselfly is, a C
program if there is a C compiler; node:fs runs on the host's tmpfs. The rows are described in
docs/benchmarks.md.

Examples:
  damselfly bench --quick                             a table, within a minute
  damselfly bench --quick --json --only core > a.json one JSON object; progress on stderr
${EXIT_CODES_HELP}`;

function version(): string {
  const file = new URL('../../../../package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  return version;
}

function makeProgram(finish: (code: number) => void): Command {
  const program = new Command('damselfly')
    .description('The file-system half of a kernel, as a virtual machine in WebAssembly.')
    .version(`damselfly ${version()} (Node ${process.version})`, '-V, --version', 'print the version and end')
    .helpOption('-h, --help', 'print this and end')
    .helpCommand('help [command]', 'print help for a command')
    .showHelpAfterError('(damselfly --help tells more)')
    .addHelpText('after', EXIT_CODES_HELP)
    .enablePositionalOptions()
    .exitOverride();
  program
    .command('boot')
    .description('boot a machine, move files in and out of it, use its shell, take the tour')
    .option(
      '-i, --import <HOSTDIR:/path>',
      'copy a tree of the host into the machine (repeatable)',
      parseImport,
    )
    .option(
      '-e, --export </path:HOSTDIR>',
      'copy a tree of the machine onto the host, last of all (repeatable)',
      parseExport,
    )
    .option(
      '-u, --update <HOSTDIR:/path>',
      'bring a tree in the machine up to the host: only what differs is copied, what is gone removed (repeatable)',
      parseImport,
    )
    .option(
      '--disk <IMG[:ro|:scratch]>',
      'a disk image: the first is /dev/vbd0; :ro to only read it, :scratch to throw changes away (repeatable)',
      parseDisk,
    )
    .option('--root <TYPE:DEVICE>', 'the root is on a disk: ext4:/dev/vbd0', parseRoot)
    .option(
      '--ram <size>',
      'RAM of the machine, 4m to 4g less 64k (default: what fits, at least 128m)',
      parseSize,
    )
    .addOption(
      new Option('--flavour <name>', 'kernel: one CPU or shared memory, with debug checks or without')
        .choices(FLAVOURS)
        .default('up'),
    )
    .option('--seed <number>', 'make entropy and the clock a function of this number', parseSeed)
    .option('-c, --command <line>', 'run this line in the shell, and end with its exit code')
    .option('--login', 'end in a shell although --tour, --export or --save is given')
    .option('--control <socket>', 'let others in: damselfly attach <socket> logs in on another terminal')
    .option(
      '--mount <HOSTDIR[:/path]>',
      'serve the machine, or a directory of it, to this host for as long as it runs (repeatable)',
      parseMount,
    )
    .option('--mount-options <list>', 'of --mount, as after -o of damselfly mount: ro,allow_other', collect)
    .option('--tour', 'work on what was imported, and check every step')
    .option('--save <file>', 'write a snapshot of the machine at the end')
    .option('--from <file>', 'go on from a snapshot instead of booting anew')
    .addHelpText('after', BOOT_HELP)
    .action(async (options) => finish(await (await import('./boot.ts')).bootCommand(options)));
  program
    .command('attach')
    .description('log in on a machine that runs in another terminal (boot --control)')
    .argument('<socket>', 'the socket that the machine listens on')
    .addHelpText('after', EXIT_CODES_HELP)
    .action(async (socket) => finish(await (await import('./attach.ts')).attachCommand(socket)));
  addRunCommand(program, finish);
  addMountCommands(program, finish);
  addImgCommands(program, finish);
  program
    .command('bench')
    .description('measure the machine beside its peers, in one run')
    .option('--quick', 'fewer, shorter rounds: done within a minute')
    .option('--json', 'print one JSON object on stdout instead of a table')
    .option('--only <group>', 'only this group of rows: core, ext4')
    .option('--seed <number>', 'seed of the random orders', parseSeed)
    .option('--tmpfs <dir>', "directory on the host's tmpfs (default: /dev/shm or the temporary directory)")
    .addHelpText('after', BENCH_HELP)
    .action(async (options) => finish(await (await import('./bench.ts')).benchCommand(options)));
  for (const command of program.commands) {
    command.showHelpAfterError(`(damselfly ${command.name()} --help tells more)`);
  }
  return program;
}

function addRunCommand(program: Command, finish: (code: number) => void): void {
  program
    .command('run')
    .description('run a WASI program on a machine, between this standard input, output and error')
    .argument('<program>', 'a .wasm file of this host, or with --guest a program of the machine')
    .argument('[args...]', 'its arguments: all that follows the program is its own')
    .option('--guest', 'the program is in the machine (from --disk or --dir)')
    .option(
      '--dir <HOSTDIR:/path>',
      'copy a directory, or a file, of this host into the machine (repeatable)',
      parseImport,
    )
    .option('--disk <IMG[:ro|:scratch]>', 'a disk image: the first is /dev/vbd0 (repeatable)', parseDisk)
    .option('--root <TYPE:DEVICE>', 'the root is on a disk: ext4:/dev/vbd0', parseRoot)
    .option('--env <NAME=VALUE>', 'a variable; NAME alone: as it is here (repeatable)', parseVariable)
    .option('--cwd <path>', 'the working directory, in the machine', '/')
    .option('--ram <size>', 'RAM of the machine (default: what fits, at least 128m)', parseSize)
    .passThroughOptions()
    .addHelpText('after', RUN_HELP)
    .action(async (file, args, options) =>
      finish(await (await import('./run.ts')).runCommand(file, args, options)),
    );
}

function addMountCommands(program: Command, finish: (code: number) => void): void {
  program
    .command('mount')
    .description(
      'make the tree of an image, or a scratch one, a directory of this host, until it is unmounted',
    )
    .argument('<places...>', 'IMG[:ro|:scratch][#partition] and a directory; with --tmpfs just that')
    .option('--tmpfs <size>', 'a file system in memory instead of an image', parseSize)
    .option('-o, --options <list>', 'as mount(8) takes them: ro,allow_other,noatime,… (repeatable)', collect)
    .option('-r, --read-only', 'the same as -o ro')
    .option('-d, --daemon', 'return when it is mounted, and serve in the background')
    .option('--ram <size>', 'RAM of the machine that serves (default: 256m)', parseSize)
    .addOption(new Option('--device <fd>').argParser(Number).hideHelp())
    .addOption(new Option('--ready-fd <fd>').argParser(Number).hideHelp())
    .addHelpText('after', MOUNT_HELP)
    .action(async (places, options) =>
      finish(await (await import('./mount.ts')).mountCommand(places, options)),
    );
  program
    .command('umount')
    .description('unmount what `damselfly mount` mounted, and wait until everything is written')
    .argument('<directory>')
    .option('-l, --lazy', 'also while it is in use: it goes when it is not any more')
    .addHelpText('after', EXIT_CODES_HELP)
    .action(async (place, options) =>
      finish(await (await import('./mount.ts')).umountCommand(place, options)),
    );
}

function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}

async function main(): Promise<number> {
  let code = EXIT_OK;
  const program = makeProgram((result) => {
    code = result;
  });
  try {
    await program.parseAsync();
    return code;
  } catch (error) {
    return explain(error);
  }
}

/** Say what went wrong, and give the exit code for it. */
function explain(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_OK : EXIT_USAGE;
  if (error instanceof CommandError) {
    process.stderr.write(`damselfly: ${error.message}\n`);
    return error.exitCode;
  }
  if (error instanceof KernelPanic) {
    process.stderr.write(`damselfly: the machine's kernel panicked; this is a bug\n${error.stack}\n`);
    return EXIT_PANIC;
  }
  process.stderr.write(`damselfly: ${error instanceof Error ? error.stack : String(error)}\n`);
  return EXIT_FAILED;
}

watchOutput();
// Should nothing be left to wait for before it has come to an end.
process.exitCode = EXIT_FAILED;
main().then((code) => {
  process.exitCode = code;
});
