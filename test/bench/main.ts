import { parseArgs } from 'node:util';
import { runBench, toJson, toText } from '../../host/bench/index.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean' },
    json: { type: 'boolean' },
    tmpfs: { type: 'string' },
    seed: { type: 'string' },
  },
});
const result = await runBench({
  quick: values.quick,
  tmpfs: values.tmpfs,
  seed: values.seed === undefined ? undefined : Number(values.seed),
  progress: (line) => process.stderr.write(`${line}\n`),
});
console.log(values.json ? toJson(result) : toText(result));
