// SPDX-License-Identifier: AGPL-3.0-or-later
// The workers of "verify everything", as the page drives them.
import type { Progress, Report } from './everything.js';
import { base, type Loaded } from './load.js';
import type { Order } from './worker.js';

export interface Crew {
  report: Promise<Report | null>; // null: stopped
  pause(): void;
  resume(): void;
  stop(): void;
}

const MOST = 8; // more workers than that wait for the one that folds

const workerUrl = () => new URL('./proof.js', import.meta.url);

export function startCrew(
  l: Loaded,
  anchor: Uint8Array | undefined,
  lowest: boolean,
  onProgress: (p: Progress) => void,
): Crew {
  const workers: Worker[] = [];
  const hire = (o: Order, transfer: MessagePort[]): Worker => {
    const w = new Worker(workerUrl(), { type: 'module' });
    w.postMessage(o, transfer);
    workers.push(w);
    return w;
  };
  const ports: MessagePort[] = [];
  const n = Math.min(MOST, Math.max(1, navigator.hardwareConcurrency || 2));
  let settle: (r: Report | null) => void = () => {};
  let fail: (e: Error) => void = () => {};
  const report = new Promise<Report | null>((yes, no) => {
    settle = yes;
    fail = no;
  });
  const end = () => workers.forEach((w) => w.terminate());
  const broken = (e: ErrorEvent) => {
    end();
    fail(new Error(e.message || 'a worker of this page has stopped'));
  };
  for (let i = 0; i < n; i++) {
    const c = new MessageChannel();
    ports.push(c.port1);
    hire({ role: 'check', module: l.compiled, port: c.port2 }, [c.port2]).onerror = broken;
  }
  const fold = hire({ role: 'fold', module: l.compiled, base, anchor, lowest, ports }, ports);
  fold.onerror = broken;
  type Said = { kind: 'progress'; progress: Progress } | { kind: 'report'; report: Report } | { kind: 'failed'; sentence: string };
  fold.onmessage = (e: MessageEvent<Said>) => {
    const said = e.data;
    if (said.kind === 'progress') return onProgress(said.progress);
    end();
    if (said.kind === 'report') settle(said.report);
    else fail(new Error(said.sentence));
  };
  return {
    report,
    pause: () => fold.postMessage({ role: 'pause' } satisfies Order),
    resume: () => fold.postMessage({ role: 'resume' } satisfies Order),
    stop: () => {
      end();
      settle(null);
    },
  };
}
