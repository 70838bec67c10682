/** Names in columns, as ls lays them out. */

export interface Cell {
  /** With escape sequences. */
  readonly text: string;
  /** Columns it takes on the screen. */
  readonly width: number;
}

const MIN_WIDTH = 3;
const GAP = 2;
const TAB = 8;

/** Spaces from one column to another, with tabs where they are as good. */
function indent(from: number, to: number, tabs: boolean): string {
  let text = '';
  let at = from;
  while (at < to) {
    if (tabs && Math.floor(to / TAB) > Math.floor((at + 1) / TAB)) {
      text += '\t';
      at += TAB - (at % TAB);
    } else {
      text += ' ';
      at++;
    }
  }
  return text;
}

/** Widths of the columns if there are `count` of them; undefined if they do not fit. */
function widthsFor(
  cells: readonly Cell[],
  count: number,
  across: boolean,
  line: number,
): number[] | undefined {
  const rows = Math.ceil(cells.length / count);
  const widths = new Array<number>(count).fill(MIN_WIDTH);
  for (const [i, { width }] of cells.entries()) {
    const column = across ? i % count : Math.floor(i / rows);
    widths[column] = Math.max(widths[column], width + (column === count - 1 ? 0 : GAP));
  }
  return widths.reduce((sum, width) => sum + width, 0) < line ? widths : undefined;
}

/** Lines of cells, down the columns or `across` the rows. @param line  width of the screen; 0: no limit */
export function inColumns(cells: readonly Cell[], line: number, across: boolean, tabs: boolean): string {
  if (cells.length === 0) return '';
  if (line === 0) return `${cells.map(({ text }) => text).join('  ')}\n`;
  let count = Math.min(cells.length, Math.max(1, Math.floor(line / MIN_WIDTH)));
  let widths: number[] | undefined;
  for (; count > 1 && widths === undefined; count--) widths = widthsFor(cells, count, across, line);
  if (widths === undefined) return cells.map(({ text }) => `${text}\n`).join('');
  const columns = widths.length;
  const rows = Math.ceil(cells.length / columns);
  let out = '';
  for (let row = 0; row < rows; row++) {
    let at = 0;
    let start = 0;
    for (let column = 0; column < columns; column++) {
      const cell = cells[across ? row * columns + column : column * rows + row];
      if (cell === undefined) break;
      out += indent(at, start, tabs) + cell.text;
      at = start + cell.width;
      start += widths[column];
    }
    out += '\n';
  }
  return out;
}

/** Names with commas between them, filling the lines. */
export function inCommas(cells: readonly Cell[], line: number): string {
  let out = '';
  let at = 0;
  for (const [i, { text, width }] of cells.entries()) {
    if (i > 0) {
      const fits = line === 0 || at + width + 2 < line;
      out += fits ? ', ' : ',\n';
      at = fits ? at + 2 : 0;
    }
    out += text;
    at += width;
  }
  return `${out}\n`;
}
