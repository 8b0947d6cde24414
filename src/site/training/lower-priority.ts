// Puts this process below the user's own work, whatever it has started and will start.
import { readdirSync } from 'node:fs';
import os from 'node:os';

/** To be called before an engine starts its threads, which inherit it. Best effort: a system may refuse. */
export function lowerPriority(): void {
  const below = os.constants.priority.PRIORITY_BELOW_NORMAL;
  for (const thread of [0, ...ownThreads()]) {
    try {
      if (os.getPriority(thread) < below) os.setPriority(thread, below);
    } catch {
      // a thread that has just ended, or a system without priorities
    }
  }
}

/** On Linux a priority is that of one thread. */
function ownThreads(): number[] {
  try {
    return readdirSync('/proc/self/task').map(Number);
  } catch {
    return [];
  }
}
