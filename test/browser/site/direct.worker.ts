/** The package in a worker. */
import { bootSync, type Flavour } from 'damselfly';
import { useMachine } from './use.ts';

self.onmessage = async ({ data }: MessageEvent<Flavour>) => {
  try {
    self.postMessage(await useMachine(bootSync({ flavour: data })));
  } catch (error) {
    self.postMessage(`failed: ${(error as Error).stack}`);
  }
};
