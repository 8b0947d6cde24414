import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  deepLinkScheme,
  openableFiles,
  parseDeepLink,
  parseOpenArguments,
  parseOpenedFile,
  screens,
} from './open-request.ts';

describe('a deep link', () => {
  it.each(screens)('shows the screen %s', (screen) => {
    expect(parseDeepLink(`consilium://open/${screen}`)).toEqual({ kind: 'screen', screen });
  });

  it.each([
    'consilium://open/settings',
    'consilium://open/round?study=1',
    'consilium://open/round#x',
    'consilium://open/round/',
    'consilium://open/../round',
    'consilium://open:80/round',
    'consilium://user@open/round',
    'consilium://OPEN/round',
    'consilium:open/round',
    'consilium://open/%72ound',
    'consilium://open/round\n',
    'consilium://run/round',
    'https://consilium.example/round',
    'consilium://open//etc/passwd.consilium-bundle',
    '',
  ])('is nothing as %j', (address) => {
    expect(parseDeepLink(address)).toBeUndefined();
  });
});

describe('an opened file', () => {
  it.each([
    ['/media/stick/round 7.consilium-bundle', 'bundle'],
    ['/media/stick/a/../b.consilium-update', 'update'],
  ])('%s is a %s', (file, kind) => {
    expect(parseOpenedFile(file)).toEqual({ kind, file: path.normalize(file) });
  });

  it.each([
    '/media/stick/plan.json',
    '/media/stick/consilium-bundle',
    '/media/stick/x.consilium-bundle.exe',
    '/media/stick/x.CONSILIUM-BUNDLE',
    '/media/stick/x.constructor',
    'x.consilium-bundle',
    '//attacker/share/x.consilium-bundle',
    '\\\\attacker\\share\\x.consilium-bundle',
    '/media/x\0.consilium-bundle',
    `/${'a'.repeat(5000)}.consilium-bundle`,
  ])('is nothing as %j', (file) => {
    expect(parseOpenedFile(file)).toBeUndefined();
  });
});

describe('the arguments of a start', () => {
  const parse = (...args: string[]) => parseOpenArguments(['/opt/consilium-site', ...args], '/home/ada');

  it('name a file beside the working folder, or a link', () => {
    expect(parse('in.consilium-bundle')).toEqual({ kind: 'bundle', file: '/home/ada/in.consilium-bundle' });
    expect(parse('consilium://open/round')).toEqual({ kind: 'screen', screen: 'round' });
  });

  it('are read without the program itself, switches and whatever is not ours', () => {
    expect(parseOpenArguments(['/tmp/x.consilium-bundle'], '/')).toBeUndefined();
    expect(parse('.', '--gpu-launcher=x', '--allow-file-access', 'notes.txt')).toBeUndefined();
    expect(parse('--flag=/tmp/x.consilium-bundle')).toBeUndefined();
    expect(parse('consilium://open/round --no-sandbox')).toBeUndefined();
    expect(parse('//attacker/share/x.consilium-bundle')).toBeUndefined();
  });

  it('give the last request of several', () => {
    expect(parse('a.consilium-bundle', 'consilium://open/home')).toEqual({ kind: 'screen', screen: 'home' });
  });
});

it('what the installers register is what is opened', () => {
  const config = readFileSync(path.resolve(import.meta.dirname, '../../electron-builder.yml'), 'utf8');
  expect([...config.matchAll(/- ext: (\S+)/g)].map(([, extension]) => extension)).toEqual(
    Object.keys(openableFiles),
  );
  expect(config).toContain(`schemes: [${deepLinkScheme}]`);
});
