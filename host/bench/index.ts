/** `damselfly bench`: Damselfly and its peers side by side. */
export { formatRatio, formatValue, TITLES, toJson, toText } from './report.ts';
export { runBench } from './run.ts';
export {
  type BenchOptions,
  type BenchResult,
  type BenchRow,
  CONTESTANTS,
  type ContestantName,
  GROUPS,
  type GroupName,
  type ScalingPoint,
} from './types.ts';
