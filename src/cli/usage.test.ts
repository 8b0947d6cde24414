// Wrong usage through the real command: exit code 2, the option by its name, and with --json one document on standard output.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runCommand } from '#support/cli-command.ts';

const consent = ['site', 'consent', 'list', '--profile', 'nowhere'];
const grant = ['site', 'consent', 'grant', 'somebody', '--profile', 'nowhere'];

describe('wrong usage', () => {
  it.each<[string, readonly string[], string, string]>([
    ['a count in letters', [...consent, '--limit', 'abc'], '--limit', 'invalidArgument'],
    ['a negative count', [...consent, '--limit', '-1'], '--limit', 'invalidArgument'],
    ['a count above the most', [...consent, '--limit', '501'], '--limit', 'invalidArgument'],
    ['a negative place', [...consent, '--offset', '-1'], '--offset', 'invalidArgument'],
    ['a day in words', [...grant, '--until', 'tomorrow'], '--until', 'invalidArgument'],
    ['a day that no calendar has', [...grant, '--until', '2030-02-31'], '--until', 'invalidArgument'],
    ['an option that is needed', ['site', 'status'], '--profile', 'missingMandatoryOptionValue'],
    [
      'an option that is unknown',
      ['site', 'status', '--profile', 'x', '--profil', 'y'],
      '--profil',
      'unknownOption',
    ],
    ['an unknown command', ['site', 'statsu'], 'statsu', 'unknownCommand'],
    ['an unknown group', ['hospital'], 'hospital', 'unknownCommand'],
    ['a group without a command', ['site', 'consent'], '--json', 'unknownOption'],
  ])('%s ends with 2 and one JSON document that names it', async (_, words, name, reason) => {
    const { code, stdout, stderr } = await runCommand(...words, '--json');
    const document: unknown = JSON.parse(stdout);
    expect(document).toEqual({
      ok: false,
      error: { code: 'USAGE', message: expect.stringContaining(name), details: { reason } },
    });
    expect([code, stderr]).toEqual([2, '']);
  });

  it('is said in words on standard error without --json', async () => {
    const { code, stdout, stderr } = await runCommand(...consent, '--limit', 'abc');
    expect(stderr).toContain("option '--limit <number>' argument 'abc' is invalid");
    expect([code, stdout]).toEqual([2, '']);
  });
});

describe('what is no failure', () => {
  it('is the version of the package', async () => {
    const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
    const { version } = JSON.parse(text) as { readonly version: string };
    expect(await runCommand('--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('is help', async () => {
    const { code, stdout } = await runCommand('site', '--help');
    expect(code).toBe(0);
    expect(stdout).toContain('consent');
  });
});
