// What a hospital gets to install: the built program and the packages that it needs, and nothing of how it was made.
import { createHash } from 'node:crypto';
import { lstatSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AsarArchive, openAsar } from '#support/asar-archive.ts';
import { isPackaged, packagedApp } from '#support/packaged-app.ts';

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
};
const hasNativeTensorFlow = isPackaged && lstatSync(packagedApp.archive).isFile() && hasAddon();

function hasAddon(): boolean {
  try {
    return statSync(path.resolve('node_modules/@tensorflow/tfjs-node/deps/lib')).isDirectory();
  } catch {
    process.stderr.write(
      'TensorFlow in the packaged app is not tested: npm run setup:tensorflow has not run\n',
    );
    return false;
  }
}

describe.skipIf(!isPackaged)('the packaged archive', () => {
  let archive: AsarArchive;
  let names: string[];
  beforeAll(() => {
    archive = openAsar(packagedApp.archive);
    names = archive.files.map(({ file }) => file);
  });
  afterAll(() => archive.close());

  it('holds the built program, its packages and its manifest at the top, and nothing else', () => {
    const tops = new Set(
      names.map((name) =>
        name
          .split('/')
          .slice(0, name.startsWith('dist/') ? 2 : 1)
          .join('/'),
      ),
    );
    expect([...tops].sort()).toEqual([
      'dist/main',
      'dist/preload',
      'dist/renderer',
      'node_modules',
      'package.json',
    ]);
  });

  it.each([
    ['no source, type or map', /\.(ts|mts|cts|tsx|map|tsbuildinfo|cc|cpp|h|gyp)$/],
    [
      'no test of ours or of a package',
      /(^|\/)(test|tests|__tests__|spec)\/|_test\.js$|\.(test|spec)\.(js|mjs|cjs)$/,
    ],
    ['no key, certificate or environment file', /\.(pem|key|p12|pfx|env)$/],
    ['no Node for npm scripts', /node_modules\/node-(linux|win)-x64\//],
  ])('has %s', (_what, pattern) => {
    expect(names.filter((name) => pattern.test(name))).toEqual([]);
  });

  it('has every dependency and no dependency for development', () => {
    const packages = new Set(names.map((name) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(name)?.[1]));
    expect(Object.keys(manifest.dependencies).filter((name) => !packages.has(name))).toEqual([]);
    expect(Object.keys(manifest.devDependencies).filter((name) => packages.has(name))).toEqual([]);
  });

  it('names its version and starts at a file that is there', () => {
    const file = archive.files.find((entry) => entry.file === 'package.json');
    const packed = JSON.parse(file === undefined ? '{}' : archive.read(file).toString()) as Record<
      string,
      unknown
    >;
    expect(packed).toMatchObject({
      name: 'consilium',
      version: manifest.version,
      main: 'dist/main/index.js',
    });
    expect(packed).not.toHaveProperty('devDependencies');
    expect(names).toContain('dist/main/index.js');
    expect(names).toContain('dist/preload/index.cjs');
    expect(names).toContain('dist/renderer/index.html');
  });

  it('has a preload that a sandbox can load: CommonJS in one file, with Electron alone', () => {
    const file = archive.files.find((entry) => entry.file === 'dist/preload/index.cjs');
    const code = file === undefined ? '' : archive.read(file).toString();
    expect([...code.matchAll(/require\(["'`]([^"'`]+)["'`]\)/g)].map(([, name]) => name)).toEqual([
      'electron',
    ]);
    expect(code).not.toMatch(/^\s*(import|export)\s/m);
  });

  it('loads neither the database nor TensorFlow into the shell', () => {
    const code = (name: string) => {
      const file = archive.files.find((entry) => entry.file === `dist/main/${name}`);
      return file === undefined ? '' : archive.read(file).toString();
    };
    const packages = new Set<string>();
    const seen = new Set<string>();
    const follow = (name: string) => {
      if (seen.has(name)) return;
      seen.add(name);
      for (const [, target = ''] of code(name).matchAll(
        /\bfrom ?["']([^"']+)["']|\bimport ?["']([^"']+)["']/g,
      )) {
        if (target.startsWith('./')) follow(target.slice(2));
        else packages.add(target);
      }
    };
    follow('index.js');
    expect(packages).toContain('electron');
    expect([...packages].filter((name) => /sqlite|kysely|tensorflow|fastify|undici/.test(name))).toEqual([]);
  });

  it('states the digest that each file of ours really has, for the check of macOS and Windows', () => {
    const own = archive.files.filter(({ file }) => file.startsWith('dist/'));
    expect(own.length).toBeGreaterThan(20);
    for (const file of own) {
      expect(createHash('sha256').update(archive.read(file)).digest('hex'), file.file).toBe(file.hash);
    }
  });

  it('keeps outside what the operating system opens: addons, shared objects, WebAssembly', () => {
    const opened = archive.files.filter(({ file }) =>
      /\.(node|dll|dylib|wasm)$|\.so(\.[0-9.]+)?$/.test(file),
    );
    expect(opened.filter(({ isUnpacked }) => !isUnpacked).map(({ file }) => file)).toEqual([]);
    for (const { file, size } of opened) {
      const found = lstatSync(path.join(packagedApp.unpacked, file));
      // A link would lead into a cache of the machine that packed it.
      expect([found.isFile(), found.size], file).toEqual([true, size]);
    }
    expect(opened.filter(({ file }) => /codec-.*\.wasm$/.test(file)).length).toBeGreaterThanOrEqual(4);
  });

  it('has addons and shared objects of this platform only', () => {
    const native = names.filter((name) => /\.(node|dll|dylib)$|\.so(\.[0-9.]+)?$/.test(name));
    const expected = [
      'node_modules/better-sqlite3/prebuilds/linux-x64.node',
      'node_modules/webgpu/dist/linux-x64/dawn.node',
      ...(hasNativeTensorFlow
        ? [
            'node_modules/@tensorflow/tfjs-node/deps/lib/libtensorflow_cc.so.2',
            'node_modules/@tensorflow/tfjs-node/deps/lib/libtensorflow_framework.so.2',
            'node_modules/@tensorflow/tfjs-node/lib/napi-v8/tfjs_binding.node',
          ]
        : []),
    ];
    expect(native.sort()).toEqual(expected.sort());
    for (const name of native) expect(machineOf(path.join(packagedApp.unpacked, name)), name).toBe(0x3e);
  });

  it('comes with the licence of every package that it holds', () => {
    const text = readFileSync(packagedApp.licences, 'utf8');
    for (const name of Object.keys(manifest.dependencies)) {
      const installed = JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')) as {
        readonly name: string;
        readonly version: string;
      };
      expect(text).toContain(`${installed.name} ${installed.version} (`);
    }
    expect(text.match(/licence not stated/g) ?? []).toEqual([]);
    expect(lstatSync(path.join(packagedApp.root, 'LICENSE.electron.txt')).isFile()).toBe(true);
  });

  it('has beside it the two languages of the product, no feed of updates and no other app', () => {
    expect(readdirSync(path.join(packagedApp.root, 'locales')).sort()).toEqual(['de.pak', 'en-US.pak']);
    const resources = readdirSync(path.join(packagedApp.root, 'resources')).sort();
    expect(resources).toEqual(['app.asar', 'app.asar.unpacked', 'third-party-licences.txt']);
  });

  it('is of a size that is known', () => {
    const sum = (isUnpacked: boolean) =>
      archive.files
        .filter((file) => file.isUnpacked === isUnpacked)
        .reduce((total, { size }) => total + size, 0);
    const tensorflow = archive.files
      .filter(({ file }) => /libtensorflow/.test(file))
      .reduce((total, { size }) => total + size, 0);
    const megabytes = (bytes: number) => Math.round(bytes / 1e6);
    process.stdout.write(
      `Packaged: archive ${megabytes(sum(false))} MB in ${archive.files.length} files, beside it ` +
        `${megabytes(sum(true) - tensorflow)} MB and ${megabytes(tensorflow)} MB of TensorFlow\n`,
    );
    expect(sum(false)).toBeLessThan(100e6);
    expect(sum(true) - tensorflow).toBeLessThan(40e6);
  });
});

/** e_machine of an ELF header; 0x3e is x86-64. */
function machineOf(file: string): number {
  const header = Buffer.alloc(20);
  readSync(openSync(file, 'r'), header, 0, 20, 0);
  expect(header.subarray(0, 4).toString('latin1')).toBe('\x7fELF');
  return header.readUInt16LE(18);
}
