/** Variables: values, attributes, what a function's `local` hides, and the environment they make. */
import type { Environment } from '../programs/program.ts';

interface Variable {
  value: string | undefined;
  exported: boolean;
  readonly: boolean;
}

export class ReadonlyError extends Error {
  constructor(name: string) {
    super(`${name}: is read only`);
  }
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

export function isName(text: string): boolean {
  return NAME.test(text);
}

export class Variables {
  readonly #all: Map<string, Variable>;
  /** What `local` has hidden, a map for each function that runs. */
  readonly #hidden: Map<string, Variable | undefined>[] = [];
  #environment: Environment | undefined;
  /** Called after a variable was set or unset. */
  changed: (name: string) => void = () => {};

  constructor(all = new Map<string, Variable>()) {
    this.#all = all;
  }

  static from(environment: Environment): Variables {
    const variables = new Variables();
    for (const [name, value] of Object.entries(environment)) {
      if (isName(name)) variables.#all.set(name, { value, exported: true, readonly: false });
    }
    return variables;
  }

  /** A copy, for a process of its own. Its locals are its globals: their functions never return there. */
  clone(): Variables {
    const all = new Map<string, Variable>();
    for (const [name, variable] of this.#all) all.set(name, { ...variable });
    const copy = new Variables(all);
    for (const hidden of this.#hidden) copy.#hidden.push(new Map(hidden));
    return copy;
  }

  get(name: string): string | undefined {
    return this.#all.get(name)?.value;
  }

  /** @throws ReadonlyError */
  set(name: string, value: string): void {
    const variable = this.#all.get(name);
    if (variable === undefined) this.#all.set(name, { value, exported: false, readonly: false });
    else {
      if (variable.readonly) throw new ReadonlyError(name);
      variable.value = value;
      if (variable.exported) this.#environment = undefined;
    }
    this.changed(name);
  }

  /** @throws ReadonlyError */
  unset(name: string): void {
    if (this.#all.get(name)?.readonly) throw new ReadonlyError(name);
    this.#all.delete(name);
    this.#environment = undefined;
    this.changed(name);
  }

  #variable(name: string): Variable {
    let variable = this.#all.get(name);
    if (variable === undefined) {
      variable = { value: undefined, exported: false, readonly: false };
      this.#all.set(name, variable);
    }
    return variable;
  }

  export(name: string): void {
    this.#variable(name).exported = true;
    this.#environment = undefined;
  }

  isReadonly(name: string): boolean {
    return this.#all.get(name)?.readonly ?? false;
  }

  makeReadonly(name: string): void {
    this.#variable(name).readonly = true;
  }

  /** Those with an attribute, or all that are set: [name, value], by name. */
  list(attribute?: 'exported' | 'readonly'): [string, string | undefined][] {
    return [...this.#all]
      .filter(([, each]) => (attribute === undefined ? each.value !== undefined : each[attribute]))
      .map(([name, { value }]): [string, string | undefined] => [name, value])
      .sort(([a], [b]) => (a < b ? -1 : 1));
  }

  names(): string[] {
    return [...this.#all.keys()];
  }

  /** What programs are given: every exported variable that has a value. */
  environment(): Environment {
    if (this.#environment === undefined) {
      const environment: Record<string, string> = {};
      for (const [name, { value, exported }] of this.#all) {
        if (exported && value !== undefined) environment[name] = value;
      }
      this.#environment = environment;
    }
    return this.#environment;
  }

  get inFunction(): boolean {
    return this.#hidden.length > 0;
  }

  enterFunction(): void {
    this.#hidden.push(new Map());
  }

  leaveFunction(): void {
    for (const [name, before] of this.#hidden.pop() ?? []) this.restore(name, before);
  }

  /** Hide a variable until the function returns. It keeps its value and attributes until it is set. */
  local(name: string): void {
    const hidden = this.#hidden.at(-1);
    if (hidden === undefined || hidden.has(name)) return;
    hidden.set(name, this.save(name));
  }

  /** A variable as it is now, for `restore`. */
  save(name: string): Variable | undefined {
    const variable = this.#all.get(name);
    return variable === undefined ? undefined : { ...variable };
  }

  restore(name: string, before: Variable | undefined): void {
    if (before === undefined) this.#all.delete(name);
    else this.#all.set(name, before);
    this.#environment = undefined;
    this.changed(name);
  }
}
