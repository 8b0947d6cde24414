// Selects a cohort from a generated store, and reports what that took. Run by the bench as a process of its own:
// cohort-child.ts preview|freeze PROFILE-FOLDER FEATURE-COUNT
import { systemActor } from '#site/audit/index.ts';
import { beginMeasured, reportMeasured } from '../cases/child-report.ts';
import { createCohortPlan } from './cohort-plan.ts';
import { openBenchCohorts, openCohortStore } from './cohort-store.ts';

const [what, profile = '', featureCount] = process.argv.slice(2);
const store = openCohortStore(profile);
const cohorts = openBenchCohorts(store, profile);
const plan = createCohortPlan(Number(featureCount));
const started = beginMeasured();
const { selection } =
  what === 'freeze'
    ? cohorts.freeze({ plan, round: 1, kind: 'training', actor: systemActor })
    : cohorts.preview(plan, systemActor);
const amount = (selection.trainingCount ?? 0) + (selection.holdoutCount ?? 0);
reportMeasured(started, { amount });
store.close();
