/**
 * The line discipline: what happens between a terminal's two ends. Its manners are those of Linux's
 * N_TTY, byte for byte, which test/unit/kernel/tty-oracle.test.ts compares it with.
 *
 * Input goes through ttyReceive a piece at a time, no longer than ttyRoom says. A byte is a key if
 * t_map has it (ttyMapKeys: what the termios settings give a meaning) and is queued otherwise. In
 * canonical mode a full queue without a whole line still takes bytes, each in the place of the one
 * before, so that the line can be erased or ended.
 *
 * Echo goes to the output queue at once, processed as what programs write. t_column follows the
 * cursor so that a tab can be erased; t_canoncol is where the typed line began.
 *
 * Left out: IXOFF, parity and breaks (there is no wire), EXTPROC, XCASE, delays but XTABS.
 *
 * The terminal is locked in all of this.
 */
import { SIGINT, SIGQUIT, SIGTSTP } from '../abi/signals';
import {
  ECHO,
  ECHOCTL,
  ECHOE,
  ECHOK,
  ECHOKE,
  ECHONL,
  ECHOPRT,
  ICANON,
  ICRNL,
  IEXTEN,
  IGNCR,
  INLCR,
  ISIG,
  ISTRIP,
  IUCLC,
  IUTF8,
  IXANY,
  IXON,
  NOFLSH,
  OCRNL,
  OLCUC,
  ONLCR,
  ONLRET,
  ONOCR,
  OPOST,
  PARMRK,
  TABDLY,
  VEOF,
  VEOL,
  VEOL2,
  VERASE,
  VINTR,
  VKILL,
  VLNEXT,
  VQUIT,
  VREPRINT,
  VSTART,
  VSTOP,
  VSUSP,
  VWERASE,
  XTABS,
} from '../abi/termios';
import { bitClear, bitSet, bitTest } from '../kern/words';
import { signalGroup } from '../proc/signal';
import { selWakeup, wakeup } from '../proc/sleep';
import { TF_ERASING, TF_LNEXT, TF_RAW, TF_STOPPED, Tty, TTY_QUEUE, ttyCc, ttyFlush } from './tty';

const BS: u32 = 8;
const TAB: u32 = 9;
const NL: u32 = 10;
const CR: u32 = 13;
const SPACE: u32 = 32;
const SLASH: u32 = 47;
const BACKSLASH: u32 = 92;
const CARET: u32 = 94;
const UNDERSCORE: u32 = 95;

// ── characters ───────────────────────────────────────────────────────────────────────────────

function isControl(c: u32): bool {
  return c < SPACE || c == 127;
}

/** As Linux classes them: Latin-1. */
function isUpper(c: u32): bool {
  return (c >= 65 && c <= 90) || (c >= 0xc0 && c <= 0xde && c != 0xd7);
}

function isLower(c: u32): bool {
  return (c >= 97 && c <= 122) || (c >= 0xdf && c != 0xf7);
}

function isWord(c: u32): bool {
  return isUpper(c) || isLower(c) || (c >= 48 && c <= 57) || c == UNDERSCORE;
}

function toLower(c: u32): u32 {
  return isUpper(c) ? c + 32 : c;
}

function toUpper(c: u32): u32 {
  return isLower(c) ? c - 32 : c;
}

/** Not the first byte of a character? */
function isContinuation(t: Tty, c: u32): bool {
  return (t.t_iflag & IUTF8) != 0 && (c & 0xc0) == 0x80;
}

// ── output ───────────────────────────────────────────────────────────────────────────────────

/** A byte for the other end, as it is. */
export function outputPut(t: Tty, c: u32): void {
  if (t.t_outtail - t.t_outhead >= TTY_QUEUE) return;
  store<u8>(<usize>t.t_out + (t.t_outtail & (TTY_QUEUE - 1)), <u8>c);
  t.t_outtail++;
}

function newlineOut(t: Tty): void {
  if (t.t_oflag & ONLRET) t.t_column = 0;
  if (t.t_oflag & ONLCR) {
    t.t_column = 0;
    outputPut(t, CR);
  }
  t.t_canoncol = t.t_column;
  outputPut(t, NL);
}

function returnOut(t: Tty): void {
  if (t.t_oflag & ONOCR && t.t_column == 0) return;
  const turned = (t.t_oflag & OCRNL) != 0;
  if (!turned || t.t_oflag & ONLRET) {
    t.t_column = 0;
    t.t_canoncol = 0;
  }
  outputPut(t, turned ? NL : CR);
}

function tabOut(t: Tty): void {
  const n: u32 = 8 - (t.t_column & 7);
  t.t_column += n;
  if ((t.t_oflag & TABDLY) != XTABS) {
    outputPut(t, TAB);
    return;
  }
  for (let i: u32 = 0; i < n; i++) outputPut(t, SPACE);
}

/** A byte for the other end, processed (OPOST). */
export function outputByte(t: Tty, c: u32): void {
  if (c == NL) newlineOut(t);
  else if (c == CR) returnOut(t);
  else if (c == TAB) tabOut(t);
  else {
    if (c == BS) columnBack(t);
    else if (!isControl(c)) {
      if (t.t_oflag & OLCUC) c = toUpper(c);
      if (!isContinuation(t, c)) t.t_column++;
    }
    outputPut(t, c);
  }
}

function columnBack(t: Tty): void {
  if (t.t_column > 0) t.t_column--;
}

// ── echo ─────────────────────────────────────────────────────────────────────────────────────

function echoRaw(t: Tty, c: u32): void {
  // Linux keeps what it echoes in a queue where this byte means something else, and never processes it
  if (c == 0xff) {
    outputPut(t, c);
    t.t_column++;
  } else if (t.t_oflag & OPOST) outputByte(t, c);
  else outputPut(t, c);
}

/** Control characters show as ^X with ECHOCTL. */
function echo(t: Tty, c: u32): void {
  if ((t.t_lflag & ECHOCTL) == 0 || !isControl(c) || c == TAB) {
    echoRaw(t, c);
    return;
  }
  outputPut(t, CARET);
  outputPut(t, c ^ 0o100);
  t.t_column += 2;
}

function finishErasing(t: Tty): void {
  if ((t.t_flags & TF_ERASING) == 0) return;
  t.t_flags &= ~TF_ERASING;
  echoRaw(t, SLASH);
}

/** The first byte of a line: it begins here. */
function noteColumn(t: Tty): void {
  if (t.t_canon == t.t_head) t.t_canoncol = t.t_column;
}

function echoTyped(t: Tty, c: u32): void {
  noteColumn(t);
  echo(t, c);
}

// ── the input queue ──────────────────────────────────────────────────────────────────────────

// @ts-ignore: decorator
@inline
function queued(t: Tty, at: u32): u32 {
  return load<u8>(<usize>t.t_in + (at & (TTY_QUEUE - 1)));
}

// @ts-ignore: decorator
@inline
function queue(t: Tty, c: u32): void {
  store<u8>(<usize>t.t_in + (t.t_head & (TTY_QUEUE - 1)), <u8>c);
  t.t_head++;
}

/** A byte that PARMRK would take for the mark of an error is doubled. */
function queueMarked(t: Tty, c: u32): void {
  if (c == 0xff && t.t_iflag & PARMRK) queue(t, c);
  queue(t, c);
}

/** End the line with this byte: whole, it can be read. 0 marks an end of file. */
export function endLine(t: Tty, c: u32): void {
  bitSet(t.t_ends, t.t_head & (TTY_QUEUE - 1));
  queue(t, c);
  t.t_canon = t.t_head;
}

/** Forget what was typed and not read. */
export function ttyFlushInput(t: Tty): void {
  memory.fill(t.t_ends, 0, TTY_QUEUE / 8);
  t.t_head = t.t_tail;
  t.t_canon = t.t_tail;
  t.t_flags &= ~TF_ERASING;
  wakeup(t.t_mwchan);
  selWakeup();
}

/** Forget what the other end has not taken. */
export function ttyFlushOutput(t: Tty): void {
  t.t_outtail = t.t_outhead;
  t.t_outstop = t.t_outhead;
  wakeup(t.t_wchan);
  selWakeup();
}

export function ttyStop(t: Tty): void {
  if (t.t_flags & TF_STOPPED) return;
  t.t_flags |= TF_STOPPED;
  t.t_outstop = t.t_outtail;
}

export function ttyStart(t: Tty): void {
  if ((t.t_flags & TF_STOPPED) == 0) return;
  t.t_flags &= ~TF_STOPPED;
  ttyFlush(t);
  wakeup(t.t_wchan);
  selWakeup();
}

// ── erasing ──────────────────────────────────────────────────────────────────────────────────

/** Go back over the typed line to where its last character begins; t_head itself if that is cut off. */
function characterStart(t: Tty): u32 {
  let at = t.t_head;
  do at--;
  while (isContinuation(t, queued(t, at)) && at != t.t_canon);
  return isContinuation(t, queued(t, at)) ? t.t_head : at;
}

/** A tab was erased (t_head is where it stood): go back over as many columns as it had. */
function eraseTab(t: Tty): void {
  let columns: u32 = 0;
  let afterTab = false;
  for (let at = t.t_head; at != t.t_canon && !afterTab; ) {
    const c = queued(t, --at);
    if (c == TAB) afterTab = true;
    else if (isControl(c)) {
      if (t.t_lflag & ECHOCTL) columns += 2;
    } else if (!isContinuation(t, c)) columns++;
  }
  if (!afterTab) columns += t.t_canoncol;
  for (let n = 8 - (columns & 7); n != 0; n--) {
    outputPut(t, BS);
    columnBack(t);
  }
}

function rubOut(t: Tty): void {
  echoRaw(t, BS);
  echoRaw(t, SPACE);
  echoRaw(t, BS);
}

/** ECHOPRT: erased characters are printed, between \ and /. */
function printErased(t: Tty, at: u32, end: u32): void {
  if ((t.t_flags & TF_ERASING) == 0) {
    echoRaw(t, BACKSLASH);
    t.t_flags |= TF_ERASING;
  }
  echo(t, queued(t, at));
  for (at++; at != end; at++) {
    echoRaw(t, queued(t, at));
    columnBack(t);
  }
}

/** Show that the character from t_head to `end` was erased. */
function echoErased(t: Tty, end: u32, one: bool): void {
  const c = queued(t, t.t_head);
  if (t.t_lflag & ECHOPRT) printErased(t, t.t_head, end);
  else if (one && (t.t_lflag & ECHOE) == 0) echo(t, ttyCc(t, VERASE));
  else if (c == TAB) eraseTab(t);
  else if (!isControl(c)) rubOut(t);
  else if (t.t_lflag & ECHOCTL) {
    rubOut(t);
    rubOut(t);
  }
}

/** VKILL where the line is not rubbed out: say so and go on. */
function killPlainly(t: Tty): void {
  t.t_head = t.t_canon;
  if ((t.t_lflag & ECHO) == 0) return;
  finishErasing(t);
  echo(t, ttyCc(t, VKILL));
  if (t.t_lflag & ECHOK) echoRaw(t, NL);
}

/** VERASE, VWERASE or VKILL was typed. */
function erase(t: Tty, key: u32): void {
  if (t.t_head == t.t_canon) return;
  const one = key == ttyCc(t, VERASE);
  const word = !one && key == ttyCc(t, VWERASE);
  const rubbed = ECHO | ECHOK | ECHOKE | ECHOE;
  if (!one && !word && (t.t_lflag & rubbed) != rubbed) {
    killPlainly(t);
    return;
  }
  let seen = false;
  while (t.t_head != t.t_canon) {
    const at = characterStart(t);
    if (at == t.t_head) break;
    if (word) {
      if (isWord(queued(t, at))) seen = true;
      else if (seen) break;
    }
    const end = t.t_head;
    t.t_head = at;
    if (t.t_lflag & ECHO) echoErased(t, end, one);
    if (one) break;
  }
  if (t.t_head == t.t_canon && t.t_lflag & ECHO) finishErasing(t);
}

// ── keys ─────────────────────────────────────────────────────────────────────────────────────

function addKey(t: Tty, c: u32): void {
  bitSet(t.t_map, c);
}

// @ts-ignore: decorator
@inline
function isKey(t: Tty, c: u32): bool {
  return bitTest(t.t_map, c);
}

function mapCanonical(t: Tty): void {
  addKey(t, ttyCc(t, VERASE));
  addKey(t, ttyCc(t, VKILL));
  addKey(t, ttyCc(t, VEOF));
  addKey(t, NL);
  addKey(t, ttyCc(t, VEOL));
  if ((t.t_lflag & IEXTEN) == 0) return;
  addKey(t, ttyCc(t, VWERASE));
  addKey(t, ttyCc(t, VLNEXT));
  addKey(t, ttyCc(t, VEOL2));
  if (t.t_lflag & ECHO) addKey(t, ttyCc(t, VREPRINT));
}

/** The termios settings are new: which bytes are keys, and whether any byte needs to be looked at. */
export function ttyMapKeys(t: Tty): void {
  const i = t.t_iflag;
  const l = t.t_lflag;
  memory.fill(t.t_map, 0, 32);
  t.t_flags &= ~TF_RAW;
  if ((i & (ISTRIP | IUCLC | IGNCR | ICRNL | INLCR | IXON | PARMRK)) == 0 && (l & (ICANON | ISIG | ECHO)) == 0) {
    t.t_flags |= TF_RAW;
    return;
  }
  if (i & (IGNCR | ICRNL)) addKey(t, CR);
  if (i & INLCR) addKey(t, NL);
  if (l & ICANON) mapCanonical(t);
  if (i & IXON) {
    addKey(t, ttyCc(t, VSTART));
    addKey(t, ttyCc(t, VSTOP));
  }
  if (l & ISIG) {
    addKey(t, ttyCc(t, VINTR));
    addKey(t, ttyCc(t, VQUIT));
    addKey(t, ttyCc(t, VSUSP));
  }
  // 0 is how a key is switched off
  bitClear(t.t_map, 0);
}

/** ICANON was switched: what is queued is one line, or no line at all. */
export function ttyModeChanged(t: Tty): void {
  memory.fill(t.t_ends, 0, TTY_QUEUE / 8);
  t.t_canon = t.t_tail;
  if (t.t_lflag & ICANON && t.t_used != 0) {
    bitSet(t.t_ends, (t.t_head - 1) & (TTY_QUEUE - 1));
    t.t_canon = t.t_head;
  }
  t.t_flags &= ~(TF_ERASING | TF_LNEXT);
}

/** The signal of a key, and with it, unless NOFLSH says otherwise, both queues are emptied. */
function signalKey(t: Tty, signal: u32, c: u32): void {
  signalGroup(t.t_pgrp, signal);
  if ((t.t_lflag & NOFLSH) == 0) {
    ttyFlushOutput(t);
    ttyFlushInput(t);
  }
  if (t.t_iflag & IXON) ttyStart(t);
  if (t.t_lflag & ECHO) echo(t, c);
}

/** A key of canonical mode? Then it is dealt with. */
function canonicalKey(t: Tty, c: u32): bool {
  const l = t.t_lflag;
  const extended = (l & IEXTEN) != 0;
  if (c == ttyCc(t, VERASE) || c == ttyCc(t, VKILL) || (extended && c == ttyCc(t, VWERASE))) {
    erase(t, c);
    return true;
  }
  if (extended && c == ttyCc(t, VLNEXT)) {
    t.t_flags |= TF_LNEXT;
    if (l & ECHO) {
      finishErasing(t);
      if (l & ECHOCTL) {
        echoRaw(t, CARET);
        echoRaw(t, BS);
      }
    }
    return true;
  }
  if (extended && l & ECHO && c == ttyCc(t, VREPRINT)) {
    finishErasing(t);
    echo(t, c);
    echoRaw(t, NL);
    for (let at = t.t_canon; at != t.t_head; at++) echo(t, queued(t, at));
    return true;
  }
  return lineKey(t, c, extended);
}

/** The keys that end a line. */
function lineKey(t: Tty, c: u32, extended: bool): bool {
  if (c == NL) {
    if (t.t_lflag & (ECHO | ECHONL)) echoRaw(t, NL);
    endLine(t, c);
    return true;
  }
  if (c == ttyCc(t, VEOF)) {
    endLine(t, 0);
    return true;
  }
  if (c != ttyCc(t, VEOL) && !(extended && c == ttyCc(t, VEOL2))) return false;
  if (t.t_lflag & ECHO) echoTyped(t, c);
  if (c == 0xff && t.t_iflag & PARMRK) queue(t, c);
  endLine(t, c);
  return true;
}

/** Any byte starts output again, with IXANY. */
function startAny(t: Tty): void {
  if (t.t_flags & TF_STOPPED && t.t_iflag & IXON && t.t_iflag & IXANY) ttyStart(t);
}

function key(t: Tty, c: u32): void {
  if (t.t_iflag & IXON) {
    if (c == ttyCc(t, VSTART)) {
      ttyStart(t);
      return;
    }
    if (c == ttyCc(t, VSTOP)) {
      ttyStop(t);
      return;
    }
  }
  if (t.t_lflag & ISIG) {
    const signal = c == ttyCc(t, VINTR) ? SIGINT : c == ttyCc(t, VQUIT) ? SIGQUIT : c == ttyCc(t, VSUSP) ? SIGTSTP : 0;
    if (signal != 0) {
      signalKey(t, signal, c);
      return;
    }
  }
  startAny(t);
  if (c == CR) {
    if (t.t_iflag & IGNCR) return;
    if (t.t_iflag & ICRNL) c = NL;
  } else if (c == NL && t.t_iflag & INLCR) c = CR;
  if (t.t_lflag & ICANON && canonicalKey(t, c)) return;
  if (t.t_lflag & ECHO) {
    finishErasing(t);
    if (c == NL) echoRaw(t, NL);
    else echoTyped(t, c);
  }
  queueMarked(t, c);
}

function plain(t: Tty, c: u32): void {
  startAny(t);
  if (t.t_lflag & ECHO) {
    finishErasing(t);
    echoTyped(t, c);
  }
  queueMarked(t, c);
}

/** A byte, after what the input flags strip from it. */
function stripped(t: Tty, c: u32): u32 {
  if (t.t_iflag & ISTRIP) c &= 0x7f;
  return t.t_iflag & IUCLC && t.t_lflag & IEXTEN ? toLower(c) : c;
}

// ── from the other end ───────────────────────────────────────────────────────────────────────

/** How many bytes ttyReceive may be given at once; 0: none until some are read. */
export function ttyRoom(t: Tty): u32 {
  let room = <i32>(TTY_QUEUE - t.t_used);
  if (t.t_iflag & PARMRK) room = (room + 2) / 3;
  room--;
  if (room > 0) return <u32>room;
  return t.t_lflag & ICANON && t.t_canon == t.t_tail ? 1 : 0;
}

/** `n` bytes come from the other end. */
export function ttyReceive(t: Tty, from: usize, n: u32): void {
  // full, and no line is whole: the last byte makes room
  if (t.t_used >= TTY_QUEUE && n != 0) t.t_head--;
  if (t.t_flags & TF_RAW) {
    for (let i: u32 = 0; i < n; i++) queue(t, load<u8>(from + i));
  } else {
    for (let i: u32 = 0; i < n; i++) {
      const c = stripped(t, load<u8>(from + i));
      if (t.t_flags & TF_LNEXT) {
        t.t_flags &= ~TF_LNEXT;
        plain(t, c);
      } else if (isKey(t, c)) key(t, c);
      else plain(t, c);
    }
    ttyFlush(t);
  }
  const ready = t.t_lflag & ICANON ? t.t_canon != t.t_tail : t.t_used != 0;
  if (!ready) return;
  wakeup(t.t_rchan);
  selWakeup();
}
