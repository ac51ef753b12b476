// SPDX-License-Identifier: AGPL-3.0-or-later
// What pages and tests use.
export { type Bundle, type Checked, runChecks } from './checks.js';
export { Cancelled, everything, type EverythingOptions, type Pool, type Progress, type Report } from './everything.js';
export { Ahead, type Fetched, type Get, getter } from './fetching.js';
export { type FetchCode, ModuleFailure, ProofModule } from './module.js';
export { WorkerPool } from './pool.js';
export { anchorFault, checkEntry, checkFile, type HereOptions, type RecordReport } from './here.js';
