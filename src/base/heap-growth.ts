// Keeps the heap of a process that streams much data near what it holds: by itself V8 lets it grow to several times that before it
// collects what is left behind.
import { setFlagsFromString } from 'node:v8';

/** For the whole process, its worker threads too. Costs more frequent, shorter collections. */
export function limitHeapGrowth(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--heap-growing-percent=50');
}
