// The site as it was packed, run from its own files alone: command line, encrypted store, screens, and the training process.
import { type ChildProcess, execFile, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeDicom } from '#site/deidentify/index.ts';
import { openAsar } from '#support/asar-archive.ts';
import { dicomFile, element, mrSlice } from '#support/dicom-object.ts';
import { noisySlice } from '#support/drawn-text.ts';
import { isPackaged, packagedApp } from '#support/packaged-app.ts';
import { makeHeartExports } from '../../scripts/make-heart-exports.ts';

const run = promisify(execFile);
// Away from the repository: a package that the archive lacks must not be found in the node_modules above it.
const work = mkdtempSync(path.join(tmpdir(), 'consilium-packed-'));
const app = path.join(work, 'app');
const profile = path.join(work, 'profile');
const secret = 'a secret for this test';
const environment = {
  PATH: process.env.PATH ?? '',
  CONSILIUM_SECRET: secret,
  HOME: work,
  XDG_CONFIG_HOME: path.join(work, 'config'),
};

async function consilium(...args: string[]): Promise<Record<string, unknown>> {
  const command = [path.join(app, 'dist/main/consilium.js'), ...args, '--json'];
  const { stdout } = await run(process.execPath, command, { cwd: work, env: environment });
  return JSON.parse(stdout) as Record<string, unknown>;
}

describe.skipIf(!isPackaged)('the packed site, under Node', () => {
  beforeAll(() => {
    const archive = openAsar(packagedApp.archive);
    archive.extract(app);
    archive.close();
  });
  afterAll(() => rmSync(work, { recursive: true, force: true }));

  it('tells its version', async () => {
    const { stdout } = await run(process.execPath, [path.join(app, 'dist/main/consilium.js'), '--version'], {
      cwd: work,
      env: environment,
    });
    expect(stdout.trim()).toMatch(/^\d+\.\d+\.\d+$/);
  });

  it('makes an encrypted profile with the unpacked SQLite and reads its status', async () => {
    await consilium('site', 'init', '--profile', profile, '--name', 'Packed hospital');
    expect(await consilium('site', 'status', '--profile', profile)).toMatchObject({
      name: 'Packed hospital',
      subjectCount: 0,
    });
  });

  it('imports a FHIR export, converts its units and de-identifies an image, with the packages that were packed', async () => {
    makeHeartExports(path.join(work, 'exports'));
    await consilium('site', 'people', 'add', 'Ada Steward', '--role', 'steward', '--profile', profile);
    const ingested = await consilium(
      'site',
      'ingest',
      path.join(work, 'exports/hungary'),
      '--user',
      'Ada Steward',
      '--profile',
      profile,
    );
    expect(ingested).toMatchObject({ accepted: expect.any(Number), rejected: 0 });
    expect(ingested.accepted).toBeGreaterThan(0);
    const image = mrSlice(
      { rows: 32, columns: 32, pixels: noisySlice(1, 32, 32) },
      element(0x00080018, '1.2.3'),
    );
    mkdirSync(path.join(work, 'images'));
    writeFileSync(path.join(work, 'images/a.dcm'), encodeDicom(dicomFile(image)));
    const out = path.join(work, 'clean');
    await consilium(
      'deidentify',
      path.join(work, 'images'),
      '--out',
      out,
      '--keys',
      path.join(work, 'deidentify-key'),
    );
    expect(globSync('**/*.dcm', { cwd: out })).toHaveLength(1);
  });

  it('serves its screens until it is told to stop', async () => {
    const command = [
      path.join(app, 'dist/main/consilium.js'),
      'site',
      'serve',
      '--profile',
      profile,
      '--port',
      '0',
    ];
    const served = spawn(process.execPath, command, { cwd: work, env: environment });
    const url = await firstMatch(served, /http:\/\/127\.0\.0\.1:\d+\/\?token=\S+/);
    const entry = await fetch(url, { redirect: 'manual' });
    expect(entry.status).toBe(303);
    const cookie = entry.headers.get('set-cookie')?.split(';')[0] ?? '';
    const page = await fetch(new URL('/', url), { headers: { cookie } });
    expect(await page.text()).toContain('<div id="root"');
    served.kill('SIGTERM');
    expect((await once(served, 'exit'))[0]).toBe(0);
  });

  it('starts its training process with the engine that was packed', async () => {
    const training = fork(path.join(app, 'dist/main/training-process.js'), [], {
      cwd: work,
      env: environment,
      execArgv: [],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const [ready] = (await once(training, 'message')) as [unknown];
    const hasNative = existsSync(
      path.join(app, 'node_modules/@tensorflow/tfjs-node/deps/lib/libtensorflow_cc.so.2'),
    );
    expect(ready).toMatchObject({ kind: 'ready', engine: { name: hasNative ? 'tensorflow' : 'wasm' } });
    training.kill('SIGKILL');
  });
});

function firstMatch(child: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const take = (chunk: Buffer) => {
      text += chunk.toString();
      const [found] = pattern.exec(text) ?? [];
      if (found !== undefined) resolve(found);
    };
    child.stdout?.on('data', take);
    child.stderr?.on('data', take);
    child.on('exit', (code) => reject(new Error(`ended with ${code}`)));
  });
}
