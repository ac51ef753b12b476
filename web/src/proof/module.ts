// SPDX-License-Identifier: AGPL-3.0-or-later
// The WebAssembly module (src/wasm) as TypeScript sees it. Its memory may move whenever it is called, so
// nothing here keeps a view of it.

export type Handle = number;

type Exports = Record<string, (...args: (number | bigint)[]) => number> & { memory: WebAssembly.Memory };

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: false });

/** Codes of base/codes.def that fetching can give. */
export type FetchCode = 'OK' | 'E_NOT_FOUND' | 'E_NETWORK' | 'E_TIMEOUT' | 'E_TOO_LARGE' | 'E_IO';

export class ModuleFailure extends Error {
  constructor(
    readonly code: string,
    sentence: string,
  ) {
    super(sentence);
  }
}

export class ProofModule {
  private constructor(private readonly e: Exports) {}

  static async from(source: WebAssembly.Module): Promise<ProofModule> {
    const instance = await WebAssembly.instantiate(source, {});
    const m = new ProofModule(instance.exports as unknown as Exports);
    m.call('_initialize');
    return m;
  }

  call(name: string, ...args: number[]): number {
    const f = this.e[name];
    if (!f) throw new Error(`the module has no ${name}`);
    return f(...args);
  }

  /** A copy of bytes of the module. */
  bytes(at: number, n: number): Uint8Array {
    return new Uint8Array(this.e.memory.buffer.slice(at, at + n));
  }

  /** Text that ends in a NUL; '' for none. */
  text(at: number): string {
    if (!at) return '';
    const all = new Uint8Array(this.e.memory.buffer);
    let end = at;
    while (all[end]) end++;
    return decoder.decode(all.slice(at, end));
  }

  /** Memory in the module with a copy of these bytes; the caller gives it back with free, or hands it on. */
  put(bytes: Uint8Array): number {
    const at = this.call('memory_take', bytes.length);
    if (!at) throw new ModuleFailure('E_MEMORY', 'this browser gives no more memory');
    new Uint8Array(this.e.memory.buffer).set(bytes, at);
    return at;
  }

  room(n: number): number {
    return this.put(new Uint8Array(n));
  }

  putText(text: string): number {
    const bytes = encoder.encode(text);
    const whole = new Uint8Array(bytes.length + 1);
    whole.set(bytes);
    return this.put(whole);
  }

  free(at: number): void {
    this.call('memory_give', at);
  }

  /** Runs f with copies of these in the module. */
  with<T>(parts: Uint8Array[], f: (...at: number[]) => T): T {
    const places = parts.map((p) => this.put(p));
    try {
      return f(...places);
    } finally {
      places.forEach((p) => this.free(p));
    }
  }

  /** What it holds of the browser's memory. */
  memoryBytes(): number {
    return this.e.memory.buffer.byteLength;
  }

  codeNumber(name: string): number {
    const at = this.putText(name);
    try {
      return this.call('code_of', at);
    } finally {
      this.free(at);
    }
  }

  codeName(code: number): string {
    return this.text(this.call('code_name', code));
  }

  sha256(data: Uint8Array): Uint8Array {
    const out = this.room(32);
    try {
      this.with([data], (p) => this.call('hash_of', p, data.length, out));
      return this.bytes(out, 32);
    } finally {
      this.free(out);
    }
  }

  signatureHolds(key: Uint8Array, signature: Uint8Array, message: Uint8Array): boolean {
    if (key.length !== 32 || signature.length !== 64) return false;
    return this.with([key, signature, message], (k, s, p) =>
      this.call('signature_holds', k, s, p, message.length),
    ) !== 0;
  }

  /** Gives a file, or the reason why it cannot be had, to a handle that wanted it. */
  supply(kind: string, x: Handle, path: string, code: FetchCode, bytes: Uint8Array): void {
    const name = this.putText(path);
    try {
      const at = this.put(bytes); // the module keeps it
      const said = this.call(`${kind}_supply`, x, name, code === 'OK' ? 0 : this.codeNumber(code), at, bytes.length);
      if (said) throw new ModuleFailure(this.codeName(said), 'the module takes no more files');
    } finally {
      this.free(name);
    }
  }
}
