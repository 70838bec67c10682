import { check, codeThrown, type Scene } from './scene.ts';

/** What another user may do, and what not. */

const USER = 1000;

export function otherUser({ machine, say }: Scene): void {
  const root = machine.fs;
  const home = '/home/owner';
  root.mkdirSync(home, { mode: 0o755 });
  root.writeFileSync(`${home}/public`, 'for all to read', { mode: 0o644 });
  root.writeFileSync(`${home}/private`, 'for root alone', { mode: 0o600 });
  root.writeFileSync(`${home}/team`, 'for the group', { mode: 0o640 });
  root.chownSync(`${home}/team`, 0, 50);
  root.mkdirSync(`${home}/closed`, { mode: 0o700 });
  root.writeFileSync(`${home}/closed/file`, 'behind a closed door', { mode: 0o666 });
  root.writeFileSync('/tmp/of-root', 'in a sticky directory', { mode: 0o666 });
  const user = machine.process({ uid: USER, gid: USER });
  const member = machine.process({ uid: USER + 1, gid: USER + 1, groups: [50] });
  const { fs } = user;
  const results: Record<string, readonly [found: string, expected: string]> = {
    'reads a public file': [codeThrown(() => fs.readFileSync(`${home}/public`)), 'nothing'],
    'writes a public file': [codeThrown(() => fs.writeFileSync(`${home}/public`, 'x')), 'EACCES'],
    'reads a private file': [codeThrown(() => fs.readFileSync(`${home}/private`)), 'EACCES'],
    'reads the group’s file': [codeThrown(() => fs.readFileSync(`${home}/team`)), 'EACCES'],
    'reads it as a member': [codeThrown(() => member.fs.readFileSync(`${home}/team`)), 'nothing'],
    'enters a closed directory': [codeThrown(() => fs.readFileSync(`${home}/closed/file`)), 'EACCES'],
    'creates a file there': [codeThrown(() => fs.writeFileSync(`${home}/new`, '')), 'EACCES'],
    'removes a file there': [codeThrown(() => fs.unlinkSync(`${home}/public`)), 'EACCES'],
    'changes its mode': [codeThrown(() => fs.chmodSync(`${home}/public`, 0o777)), 'EPERM'],
    'changes its owner': [codeThrown(() => fs.chownSync(`${home}/public`, USER, USER)), 'EPERM'],
    'removes root’s file in /tmp': [codeThrown(() => fs.unlinkSync('/tmp/of-root')), 'EPERM'],
    'mounts a tmpfs': [codeThrown(() => user.mount('none', '/tmp', 'tmpfs')), 'EPERM'],
    'makes a file in /tmp': [codeThrown(() => fs.writeFileSync('/tmp/of-user', 'mine')), 'nothing'],
  };
  const { uid } = root.statSync('/tmp/of-user');
  user.exit();
  member.exit();
  root.rmSync(home, { recursive: true });
  root.unlinkSync('/tmp/of-root');
  root.unlinkSync('/tmp/of-user');
  const wide = Math.max(...Object.keys(results).map(({ length }) => length));
  for (const [what, [found]] of Object.entries(results))
    say(`${what.padEnd(wide)}  ${found === 'nothing' ? 'yes' : found}`);
  for (const [what, [found, expected]] of Object.entries(results))
    check(found === expected, `'${what}' gave ${found}, not ${expected}`);
  check(uid === USER, `the new file belongs to ${uid}, not ${USER}`);
}
