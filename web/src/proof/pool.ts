// SPDX-License-Identifier: AGPL-3.0-or-later
// Bundles of signatures over several workers, a bounded number of them under way.
import type { Bundle, Checked } from './checks.js';
import type { Pool } from './everything.js';

/** A way to a worker: MessagePort in a browser and in node. */
export interface Port {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
}

const UNDER_WAY = 3; // bundles a worker

export class WorkerPool implements Pool {
  private next = 0;
  private readonly jobs = new Map<number, (c: Checked) => void>();
  private waiting: (() => void)[] = [];

  constructor(private readonly ports: Port[]) {}

  /** What a worker has answered. */
  answered(id: number, c: Checked): void {
    this.jobs.get(id)?.(c);
    this.jobs.delete(id);
    const waiting = this.waiting;
    this.waiting = [];
    waiting.forEach((w) => w());
  }

  async add(b: Bundle, done: (c: Checked) => void): Promise<void> {
    const id = this.next++;
    this.jobs.set(id, done);
    this.ports[id % this.ports.length]?.postMessage({ id, ...b }, [b.bytes, b.checks]);
    while (this.jobs.size >= this.ports.length * UNDER_WAY) await new Promise<void>((r) => this.waiting.push(r));
  }

  async end(): Promise<void> {
    while (this.jobs.size) await new Promise<void>((r) => this.waiting.push(r));
  }
}
