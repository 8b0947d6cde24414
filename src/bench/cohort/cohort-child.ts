// Selects a cohort from a generated store, and reports what that took. Run by the bench as a process of its own:
// cohort-child.ts preview|freeze PROFILE-FOLDER FEATURE-COUNT
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { systemActor } from '#site/audit/index.ts';
import { beginMeasured, reportMeasured } from '../cases/child-report.ts';
import { createCohortPlan } from './cohort-plan.ts';
import { openBenchAnalyses, openBenchCohorts, openCohortStore } from './cohort-store.ts';

const [what, profile = '', featureCount] = process.argv.slice(2);
const store = openCohortStore(profile);
const plan = createCohortPlan(Number(featureCount));
const started = beginMeasured();
const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();
const select = async () => {
  if (what === 'freeze') {
    const freezing = { plan, round: 1, kind: 'training', actor: systemActor } as const;
    return openBenchCohorts(store, profile).freeze(freezing);
  }
  // As a person asks for it: in a thread of its own, its start included.
  const { signal } = new AbortController();
  return openBenchAnalyses(store, profile).preview(plan, { actor: systemActor, signal });
};
const { selection } = await select();
const amount = (selection.trainingCount ?? 0) + (selection.holdoutCount ?? 0);
reportMeasured(started, { amount, longestBusyMs: delay.max / 1e6 });
store.close();
