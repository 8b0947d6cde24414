// `consilium privacy epsilon` through the real command.
import { describe, expect, it } from 'vitest';
import { type Ended, runCommand } from '#support/cli-command.ts';

const setting = ['--noise', '1.2', '--rate', '0.1', '--steps', '100', '--delta', '1e-3'];

function epsilon(...words: readonly string[]): Promise<Ended> {
  return runCommand('privacy', 'epsilon', ...words);
}

describe('consilium privacy epsilon', () => {
  it.each([
    ['rdp', 4.01638562],
    ['pld', 3.4235],
  ])('by %s is a promise in four parts, with its setting', async (accountant, expected) => {
    const { code, stdout, stderr } = await epsilon(...setting, '--accountant', accountant, '--json');
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toEqual({
      epsilon: expect.closeTo(expected, 4),
      delta: 1e-3,
      unit: 'patient',
      adjacency: 'add-or-remove-one-patient',
      accountant,
      noiseMultiplier: 1.2,
      samplingRate: 0.1,
      steps: 100,
    });
  });

  it('in words says epsilon, rounded up, never without delta, unit and adjacency', async () => {
    expect(await epsilon(...setting)).toEqual({
      code: 0,
      stdout:
        'epsilon 4.0164 at delta 0.001\nunit patient, adjacency add-or-remove-one-patient, accountant rdp\n',
      stderr: '',
    });
  });

  it('is 0 where nobody is drawn', async () => {
    const { stdout } = await epsilon(...setting, '--rate', '0', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ epsilon: 0, samplingRate: 0 });
  });

  it('refuses training without noise with 1 and one JSON document', async () => {
    const { code, stdout, stderr } = await epsilon(...setting, '--noise', '0', '--json');
    expect([code, stderr]).toEqual([1, '']);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, error: { code: 'NO_NOISE' } });
  });

  it.each([
    ['--noise', '-1'],
    ['--noise', 'Infinity'],
    ['--rate', '1.5'],
    ['--rate', '0x1'],
    ['--steps', '10.5'],
    ['--steps', '1e3'],
    ['--delta', '0'],
    ['--delta', '1'],
    ['--accountant', 'moments'],
  ])('takes %s %s for wrong usage', async (option, value) => {
    const { code, stdout } = await epsilon(...setting, option, value, '--json');
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      error: {
        code: 'USAGE',
        message: expect.stringContaining(option),
        details: { reason: 'invalidArgument' },
      },
    });
  });

  it('needs every part of the setting', async () => {
    const { code, stdout } = await epsilon('--noise', '1', '--rate', '0.1', '--steps', '100', '--json');
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: 'USAGE', message: expect.stringContaining('--delta') },
    });
  });

  it('shows in its help what epsilon means, with delta, unit and adjacency', async () => {
    const { code, stdout } = await epsilon('--help');
    expect(code).toBe(0);
    for (const part of ['epsilon', 'delta', 'unit', 'adjacency'])
      expect(stdout).toMatch(new RegExp(`^ {2}${part} `, 'm'));
  });
});
