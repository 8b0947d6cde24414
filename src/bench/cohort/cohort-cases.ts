// The cases of `consilium bench cohort`: a freeze of growing sizes, which has to stay linear, and a preview.
import type { BenchCase, Measurement } from '../cases/bench-case.ts';
import { bundledProgram } from '../cases/bundled-program.ts';
import { busyNote, type ChildMeasurement, measureChild } from '../cases/measure-child.ts';
import { emptyFolder } from '../cases/scratch.ts';
import { writeCohortStore } from './cohort-store.ts';

const featureCount = 50;

const freezeCase: BenchCase = {
  name: 'freeze',
  async run({ scratch, scale, say }) {
    const largest = Math.round(1_000_000 * scale);
    const ours: Measurement[] = [];
    for (const subjectCount of [largest / 4, largest / 2, largest].map(Math.round)) {
      say(`  ${subjectCount} subjects`);
      const profile = emptyFolder(scratch, `profile-${subjectCount}`);
      writeCohortStore(profile, { subjectCount, featureCount });
      ours.push(await measureCohort('freeze', { label: `${subjectCount} subjects`, profile, subjectCount }));
    }
    const [first, , last] = ours;
    const linear = (last?.rate ?? 0) / (first?.rate ?? 1);
    return {
      name: 'freeze',
      title: 'A cohort is selected and frozen',
      unit: 'subjects',
      description: `${featureCount} features, one label, one index event and one consent for each subject; every subject is a member.`,
      ours,
      peers: [],
      targets: [
        { text: 'the largest in under 60 s', isMet: (last?.seconds ?? Number.POSITIVE_INFINITY) < 60 },
        {
          text: 'peak memory under 1 GB',
          isMet: (last?.peakMegabytes ?? Number.POSITIVE_INFINITY) < 1_000,
        },
        {
          text: `linear: four times the subjects at no less than 80 % of the rate (${(100 * linear).toFixed(0)} %)`,
          isMet: linear >= 0.8,
        },
      ],
      notes: [],
    };
  },
};

const previewCase: BenchCase = {
  name: 'preview',
  async run({ scratch, scale, say }) {
    const subjectCount = Math.round(100_000 * scale);
    const profile = emptyFolder(scratch, 'profile');
    writeCohortStore(profile, { subjectCount, featureCount });
    const ours: ChildMeasurement[] = [];
    for (const label of ['Consilium', 'Consilium, again', 'Consilium, a third time']) {
      say(`  ${label}`);
      ours.push(await measureCohort('preview', { label, profile, subjectCount }));
    }
    const seconds = ours.map((one) => one.seconds).toSorted((left, right) => left - right)[1] ?? 0;
    return {
      name: 'preview',
      title: 'A plan is previewed',
      unit: 'subjects',
      description: `${subjectCount} subjects, ${featureCount} features.`,
      ours,
      peers: [],
      targets: [{ text: `under 2 s, median of three (${seconds.toFixed(1)} s)`, isMet: seconds < 2 }],
      notes: [busyNote(ours)],
    };
  },
};

interface MeasuredCohort {
  readonly label: string;
  readonly profile: string;
  readonly subjectCount: number;
}

async function measureCohort(
  what: 'freeze' | 'preview',
  { label, profile, subjectCount }: MeasuredCohort,
): Promise<ChildMeasurement> {
  const words = [what, profile, String(featureCount)];
  const measured = await measureChild(await bundledProgram(label, 'cohort-child', words));
  const found = Math.round(measured.rate * measured.seconds);
  if (found !== subjectCount) throw new Error(`${found} of ${subjectCount} subjects are in the cohort`);
  return measured;
}

export const cohortCases: readonly BenchCase[] = [previewCase, freezeCase];
