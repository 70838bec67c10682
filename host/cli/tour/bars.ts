/** Bars in text, to an eighth of a character. */
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
const WIDTH = 40;

/** @param share  0 … 1 of the full width; anything above 0 is seen */
export function bar(share: number, width = WIDTH): string {
  const eighths = Math.max(share > 0 ? 1 : 0, Math.round(share * width * 8));
  return '█'.repeat(eighths >> 3) + EIGHTHS[eighths & 7];
}
