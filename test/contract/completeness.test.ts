import { expect, it } from 'vitest';
import { behaviours } from './behaviours.ts';
import { casesOf, cellId, cells, checkCompleteness } from './table.ts';

const slots = checkCompleteness();

it('every documented error of every call has a cell or a reason, for root and for users', () => {
  expect(slots.missing).toEqual([]);
});

it('no cell stands outside the frame, and none where a reason says there can be none', () => {
  expect(slots.odd).toEqual([]);
});

it('each cell and each behaviour has a name of its own', () => {
  const names = [
    ...cells.flatMap((cell) => casesOf(cell).map(({ who }) => cellId(cell, who))),
    ...behaviours.flatMap((b) => b.who.map((who) => `${b.group} ${who}: ${b.title}`)),
  ];
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});
