/** The package in the page itself, and in a worker without anything between. */
import { boot, bootSync, type Flavour } from 'damselfly';
import { useMachine } from './use.ts';

function inWorker(flavour: Flavour): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./direct.worker.ts', import.meta.url), { type: 'module' });
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage(flavour);
  });
}

Object.assign(globalThis, {
  inWorker,
  inPage: async (flavour: Flavour) => useMachine(await boot({ flavour })),
  atOnce: () => {
    try {
      return bootSync() === undefined;
    } catch (error) {
      return String(error);
    }
  },
});
