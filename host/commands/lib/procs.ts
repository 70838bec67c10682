/** Processes, as /proc tells of them. */
import type { Tool } from './command.ts';
import { strerror } from './errors.ts';

export interface ProcInfo {
  readonly pid: number;
  readonly ppid: number;
  readonly pgid: number;
  readonly sid: number;
  readonly state: string;
  readonly name: string;
  /** Empty for what was never executed. */
  readonly args: readonly string[];
  readonly uid: number;
  readonly euid: number;
  readonly gid: number;
  readonly egid: number;
  /** Device number of its terminal; 0: none. */
  readonly tty: number;
  /** Since boot. */
  readonly startSeconds: number;
}

/** Clock ticks of a second in /proc/PID/stat. */
const TICKS = 100;

/** undefined: it has ended. */
export function procInfo(tool: Tool, pid: number): ProcInfo | undefined {
  const read = (name: string) => tool.fs.readFileSync(`/proc/${pid}/${name}`, 'utf8');
  try {
    const stat = read('stat');
    const close = stat.lastIndexOf(')');
    const fields = stat.slice(close + 2).split(' ');
    const status = read('status');
    const ids = (name: string) =>
      (new RegExp(`^${name}:\\t(\\d+)\\t(\\d+)`, 'm').exec(status) ?? ['', '0', '0']).slice(1).map(Number);
    const [uid, euid] = ids('Uid');
    const [gid, egid] = ids('Gid');
    return {
      pid,
      ppid: Number(fields[1]),
      pgid: Number(fields[2]),
      sid: Number(fields[3]),
      state: fields[0],
      name: stat.slice(stat.indexOf('(') + 1, close),
      args: read('cmdline').split('\0').slice(0, -1),
      uid,
      euid,
      gid,
      egid,
      tty: Number(fields[4]),
      startSeconds: Number(fields[19]) / TICKS,
    };
  } catch (error) {
    strerror(error);
    return undefined;
  }
}

/** All of them, by number. */
export function processes(tool: Tool): ProcInfo[] {
  return tool.fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b)
    .map((pid) => procInfo(tool, pid))
    .filter((info) => info !== undefined);
}

/** The name of a terminal by its number: pts/0, tty1, console; ? if there is none. */
export function ttyName(tool: Tool, rdev: number): string {
  if (rdev === 0) return '?';
  for (const directory of ['/dev/pts', '/dev']) {
    let names: string[];
    try {
      names = tool.fs.readdirSync(directory);
    } catch (error) {
      strerror(error);
      continue;
    }
    for (const name of names) {
      const path = `${directory}/${name}`;
      const info = tool.fs.lstatSync(path, { throwIfNoEntry: false });
      if (info?.isCharacterDevice() && info.rdev === rdev && name !== 'ptmx')
        return path.slice('/dev/'.length);
    }
  }
  return '?';
}
