/** The page of the contract: runs it in a worker when it is asked to. */
import type { Flavour } from 'damselfly';
import type { CaseResult } from '../results.ts';

Object.assign(globalThis, {
  runContract: (flavour: Flavour): Promise<CaseResult[]> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL('./contract.worker.ts', import.meta.url), { type: 'module' });
      worker.onmessage = ({ data }: MessageEvent<CaseResult[]>) => {
        worker.terminate();
        resolve(data);
      };
      worker.onerror = ({ message }) => reject(new Error(`the worker failed: ${message}`));
      worker.postMessage(flavour);
    }),
});
