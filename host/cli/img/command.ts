/** `damselfly img`: disk images made, filled, read, looked at and checked, without mounting them anywhere. */
import type { Command } from 'commander';
import { EXIT_CODES_HELP } from '../errors.ts';
import { parseNumber, parseSize } from '../values.ts';

type Finish = (code: number) => void;

/** Begin with the kernel, which is compiled beside this thread while the modules that need it are loaded. */
function early(): void {
  // Whoever needs it tells what is wrong.
  import('../../machine/kernel.ts').then(({ loadKernel }) => loadKernel('up')).catch(() => {});
}

const IMG_HELP = `
IMG is a file that holds an ext2, ext3 or ext4 file system, or a disk with partitions: IMG#2 is its
second one. What is copied keeps owners, modes, times, hard links, symlinks, device nodes, holes and
extended attributes. Everything is done by a machine of its own; nothing is mounted on this host, and
no right to do so is needed.

Examples:
  damselfly img create data.img --size 256M --label data
  damselfly img put data.img ./site /www
  damselfly img ls data.img -la /www
  damselfly img get data.img /www ./copy
  damselfly img tar data.img /www | gzip > www.tar.gz
  damselfly img untar data.img /restored < backup.tar
  damselfly img check data.img
${EXIT_CODES_HELP}`;

/** Everything behind the image's name is the command's, as if it ran inside. */
const INSIDE: readonly (readonly [string, string])[] = [
  ['ls', 'list files'],
  ['cat', 'print files'],
  ['tree', 'draw a directory'],
  ['stat', 'show what is known of files'],
  ['find', 'search for files'],
  ['du', 'sum up the space that files take'],
  ['rm', 'remove files'],
  ['mkdir', 'make directories'],
  ['mv', 'rename files'],
  ['ln', 'make links'],
  ['chmod', 'change modes'],
  ['chown', 'change owners'],
];

export function addImgCommands(program: Command, finish: Finish): void {
  const img = program
    .command('img')
    .description('disk images: make, fill, read, look at and check them')
    .addHelpText('after', IMG_HELP);
  addMaking(img, finish);
  addLooking(img, finish);
  addCopying(img, finish);
  for (const [name, about] of INSIDE) {
    img
      .command(name)
      .description(`${about} of an image: the options and paths of ${name}`)
      .argument('<image>', 'IMG or IMG#partition')
      .argument('[words...]', `what the machine's ${name} takes; paths begin at the image's root`)
      .allowUnknownOption()
      .passThroughOptions()
      .helpOption(false)
      .addHelpText(
        'after',
        `\nThe options are those of the machine's ${name}: damselfly boot -c '${name} --help'`,
      )
      .action(async (image, words, _options, command: Command) => {
        // What looks like an option is the command's, and stands behind the image.
        if (image === '--help' || image === '-h') command.outputHelp();
        else if (image.startsWith('-')) command.error(`error: the image comes before ${image}`);
        else {
          early();
          finish(await (await import('./look.ts')).lookCommand(name, image, words));
        }
      });
  }
  for (const command of img.commands)
    command.showHelpAfterError(`(damselfly img ${command.name()} --help tells more)`);
}

function addMaking(img: Command, finish: Finish): void {
  img
    .command('create')
    .description('make an image with an empty file system on it; the file must not be there')
    .argument('<image>', 'file to make')
    .option('--size <size>', 'size of the image: 64M, 2G, 1T', parseSize)
    .option(
      '--fit <hostdir>',
      'a size that this tree fits, with as much room again; at least --size, if both are given',
    )
    .option('--type <type>', 'ext2, ext3 or ext4', 'ext4')
    .option('--label <text>', 'volume label, at most 16 bytes')
    .option('--uuid <uuid>', 'volume UUID (default: a random one)')
    .option('--block-size <bytes>', '1024, 2048 or 4096', parseNumber)
    .option('--inode-size <bytes>', 'bytes of an inode', parseNumber)
    .option('--inodes <count>', 'at least so many inodes', parseNumber)
    .option('--reserved <percent>', "blocks that only root may use (mke2fs's default: 5)", parseNumber)
    .option('--features <list>', "changes to the features, as mke2fs -O: '^has_journal,metadata_csum_seed'")
    .option('--usage <name>', 'what it is for, as mke2fs -T: small, largefile4 …')
    .option('--seed <number>', 'the same seed makes the same bytes', parseNumber)
    .action(async (image, options) =>
      finish(await (await import('./make.ts')).createCommand(image, options)),
    );
  img
    .command('tune')
    .description('give a file system another label or UUID')
    .argument('<image>', 'IMG or IMG#partition')
    .option('--label <text>', 'volume label, at most 16 bytes')
    .option('--uuid <uuid>', "volume UUID, or 'random', or 'clear'")
    .action(async (image, options) => finish(await (await import('./make.ts')).tuneCommand(image, options)));
}

function addLooking(img: Command, finish: Finish): void {
  img
    .command('info')
    .description('what is on an image: partitions, the file system, its features and sizes')
    .argument('<image>', 'IMG or IMG#partition')
    .action(async (image) => finish(await (await import('./make.ts')).infoCommand(image)));
  img
    .command('check')
    .description('look for damage, and change nothing: exit code 1 when there is any')
    .argument('<image>', 'IMG or IMG#partition')
    .action(async (image) => finish(await (await import('./make.ts')).checkCommand(image)));
}

function addCopying(img: Command, finish: Finish): void {
  const ram = ['--ram <size>', 'RAM of the machine that does it (default: 64m)', parseSize] as const;
  const parents = ['-p, --parents', 'make the directories on the way to the target'] as const;
  img
    .command('put')
    .description(
      'copy a tree of this host into an image, as cp -a: into a directory that is there, else as that name',
    )
    .argument('<image>', 'IMG or IMG#partition')
    .argument('<hostpath>', 'what to copy')
    .argument('<path>', 'where to, in the image; with a slash at its end, a directory that is there')
    .option(...parents)
    .option(...ram)
    .action(async (image, from, to, options) => {
      early();
      finish(await (await import('./copy.ts')).putCommand(image, from, to, options));
    });
  img
    .command('get')
    .description('copy a tree of an image onto this host, as cp -a')
    .argument('<image>', 'IMG or IMG#partition')
    .argument('<path>', 'what to copy, in the image')
    .argument('<hostpath>', 'where to')
    .option(...parents)
    .option(...ram)
    .action(async (image, from, to, options) => {
      early();
      finish(await (await import('./copy.ts')).getCommand(image, from, to, options));
    });
  img
    .command('tar')
    .description('write a tree of an image to standard output, as a tar archive')
    .argument('<image>', 'IMG or IMG#partition')
    .argument('[path]', 'what to write', '/')
    .action(async (image, path) => {
      early();
      finish(await (await import('./look.ts')).tarCommand(image, path));
    });
  img
    .command('untar')
    .description('unpack a tar archive from standard input into a directory of an image')
    .argument('<image>', 'IMG or IMG#partition')
    .argument('[path]', 'where to; made if it is not there', '/')
    .option(...ram)
    .action(async (image, path, options) => {
      early();
      finish(await (await import('./untar.ts')).untarCommand(image, path, options));
    });
}
