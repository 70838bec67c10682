/** Calls from the page to its machine's worker. */
import { type releaseProxy, wrap } from 'comlink';
import { Packed, type Reference } from './wire.ts';

interface Service {
  invoke(name: string, args: Packed): Promise<Packed>;
}

/** What is behind a port: tables of functions. (As comlink's own type, less what is not used of it.) */
export interface Services {
  readonly calls: Service;
  readonly fs: Service;
  [releaseProxy](): void;
}

type Fail = (error: Error) => void;

export function servicesAt({ port }: Reference): Services {
  port.start();
  return wrap(port) as unknown as Services;
}

/** The connection to a worker: it knows what is under way, so that nothing waits for a dead one. */
export class Link {
  /** Each with what it calls: a proxy that is collected would take its port, and the answer, along. */
  readonly #underWay = new Map<Fail, Service>();
  #ended: ((name: string) => Error) | undefined;

  /** Call a function of the other side. */
  async call(service: Service, name: string, args: readonly unknown[]): Promise<unknown> {
    const packed = new Packed(args);
    try {
      return await this.#send(service, name, packed);
    } finally {
      packed.finish();
    }
  }

  async #send(service: Service, name: string, packed: Packed): Promise<unknown> {
    if (this.#ended !== undefined) throw this.#ended(name);
    let fail: Fail = () => {};
    const ended = new Promise<never>((_, reject) => {
      fail = reject;
    });
    this.#underWay.set(fail, service);
    try {
      const { value } = await Promise.race([service.invoke(name, packed), ended]);
      const [done, result] = value as [boolean, unknown];
      if (!done) throw result;
      return result;
    } finally {
      this.#underWay.delete(fail);
    }
  }

  /** What is under way fails, and so does every later call. */
  end(reason: (name: string) => Error): void {
    this.#ended ??= reason;
    for (const fail of this.#underWay.keys()) fail(reason('wait'));
    this.#underWay.clear();
  }

  /** The items of what a function of the other side iterates over; called when the first is asked for. */
  async *iterate(
    service: Service,
    name: string,
    args: readonly unknown[],
  ): AsyncGenerator<unknown, void, undefined> {
    // A signal among the arguments ends the iteration, not only the call.
    const packed = new Packed(args);
    try {
      const { calls } = servicesAt((await this.#send(service, name, packed)) as Reference);
      try {
        for (;;) {
          const { done, value } = (await this.call(calls, 'next', [])) as IteratorResult<unknown>;
          if (done) return;
          yield value;
        }
      } finally {
        if (this.#ended === undefined) await this.call(calls, 'return', []);
      }
    } finally {
      packed.finish();
    }
  }
}
