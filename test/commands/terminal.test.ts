/** Commands on a terminal of the machine: columns, colours, modes, questions. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { boot, type Machine } from '../../host/index.ts';
import { standardPrograms } from '../../host/programs/standard.ts';
import { environment, Userland } from '../../host/programs/userland.ts';
import { TerminalSession } from '../../host/terminal/session.ts';

let machine: Machine;
let userland: Userland;

beforeAll(async () => {
  machine = await boot({ flavour: 'up-debug' });
  userland = new Userland(machine, standardPrograms);
  const { fs } = machine;
  fs.mkdirSync('/t/dir', { recursive: true });
  for (const name of ['one', 'two', 'three', 'a space']) fs.writeFileSync(`/t/${name}`, '');
});

afterAll(() => machine.shutdown());

/** What a terminal of 40 columns shows while a line runs. */
async function show(line: string, typed = ''): Promise<{ code: number; screen: string }> {
  let screen = '';
  const decoder = new TextDecoder();
  const env = environment({ env: { TERM: 'xterm' } });
  const session = new TerminalSession(userland, ['sh', '-c', line], env, {
    size: { rows: 10, columns: 40 },
    output: (bytes) => {
      screen += decoder.decode(bytes, { stream: true });
    },
  });
  if (typed !== '') await session.write(typed);
  const { code } = await session.done;
  return { code, screen: screen.replaceAll('\r\n', '\n') };
}

it('ls fills its width, quotes and colours', async () => {
  expect(await show('ls /t')).toEqual({ code: 0, screen: "'a space'   dir   one   three   two\n" });
  expect(await show('ls --color=auto -1 /t')).toMatchObject({
    screen: expect.stringContaining('\x1b[01;34mdir\x1b[0m'),
  });
});

it('stty shows and sets modes and size', async () => {
  expect(await show('stty size; tty')).toMatchObject({
    screen: expect.stringMatching(/^10 40\n\/dev\/pts\/\d+\n$/),
  });
  expect(await show('stty -a')).toMatchObject({
    screen: expect.stringMatching(
      /^speed 38400 baud; rows 10; columns 40;\nintr = \^C; quit = \^\\; erase = \^\?;/,
    ),
  });
  expect(
    await show('s=$(stty -g); stty raw -echo; stty -g | grep -c "$s"; stty "$s"; stty -g | grep -c "$s"'),
  ).toMatchObject({
    screen: expect.stringMatching(/^0\s+1\n$/),
  });
  expect(await show('stty rows 7 cols 50; stty size')).toMatchObject({ screen: '7 50\n' });
  expect(await show('stty intr ^X; stty -a | head -n 2 | tail -n 1')).toMatchObject({
    screen: expect.stringMatching(/^intr = \^X;/),
  });
  expect(await show('stty nonsense')).toMatchObject({
    code: 1,
    screen: expect.stringContaining("stty: invalid argument 'nonsense'"),
  });
  expect(await userland.run('stty -a')).toMatchObject({
    code: 1,
    stderr: "stty: 'standard input': Inappropriate ioctl for device\n",
  });
});

it('rm asks before it removes what is protected', async () => {
  machine.fs.writeFileSync('/t/kept', '', { mode: 0o444 });
  machine.fs.chownSync('/t/kept', 5, 5);
  expect(await show('rm -i /t/kept; test -e /t/kept', 'n\n')).toMatchObject({
    code: 0,
    screen: expect.stringContaining("rm: remove regular empty file '/t/kept'? "),
  });
  expect(await show('rm -i /t/kept; test -e /t/kept', 'y\n')).toMatchObject({ code: 1 });
});
