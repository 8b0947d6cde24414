import { describe, expect, it } from 'vitest';
import { silentLogger } from '#base/logger.ts';
import type { TrainingGate } from '#site/ports.ts';
import { createRoundSite, researchStudyId } from '#support/round-site.ts';
import { saveEngineSettings } from './engine-settings.ts';
import { openRounds } from './site-rounds.ts';

const actor = { name: 'Ina Vest', role: 'investigator' } as const;

/** A site whose engine asks its gate, notes what it waits for, and then goes on. */
function openSite(look: (gate: TrainingGate) => void) {
  const site = createRoundSite();
  site.open('training');
  const { train } = site.trainingHost;
  const given: unknown[] = [];
  site.trainingHost.train = async (job, control) => {
    given.push(control.settings);
    if (control.gate !== undefined) look(control.gate);
    return train(job, control);
  };
  return { site, given, rounds: openRounds(site, silentLogger) };
}

async function runToItsEnd(rounds: ReturnType<typeof openRounds>) {
  const kinds: string[] = [];
  for await (const { kind } of rounds.run(researchStudyId, actor)) kinds.push(kind);
  return kinds;
}

describe('a running round', () => {
  it('can be paused and resumed by its research study, and ends with its update', async () => {
    const seen: unknown[] = [];
    const { site, rounds } = openSite((gate) => {
      seen.push(gate.waitsFor());
      rounds.pause(researchStudyId);
      seen.push(gate.waitsFor());
      rounds.resume(researchStudyId);
      seen.push(gate.waitsFor());
    });
    expect(await runToItsEnd(rounds)).toContain('done');
    expect(seen).toEqual([null, 'paused', null]);
    rounds.pause(researchStudyId); // nothing runs: nothing happens
    site.close();
  });

  it('is given the settings of the engine, and waits for its hours', async () => {
    const seen: unknown[] = [];
    const { site, given, rounds } = openSite((gate) => seen.push(gate.waitsFor()));
    const minute = Math.floor(site.clock.nowMs() / 60_000) % 1440;
    const away = { fromMinute: (minute + 720) % 1440, toMinute: (minute + 721) % 1440 };
    const settings = { threads: 2, memoryLimitBytes: 2 ** 31, trainingHours: away };
    saveEngineSettings(site.store, settings);
    await runToItsEnd(rounds);
    expect(given).toEqual([settings]);
    expect(seen).toEqual(['hours']);
    site.close();
  });
});
