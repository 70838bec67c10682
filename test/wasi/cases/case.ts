/** One case of the WASI suite: what it does throws where something is not as it should be. */
import type { Scene } from '../scene.ts';

export interface Case {
  name: string;
  act(scene: Scene): void | Promise<void>;
}
