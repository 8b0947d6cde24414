// TensorFlow from its Python wheel (Linux x64): two shared objects and the C headers are taken out of it and tfjs-node's own
// binding sources are compiled against them. Python is only asked to download; the file's sha256 is pinned.
import { spawnSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import {
  copyFileSync,
  createReadStream,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { NativePackage } from './native-package.ts';
import { extractMember, listMembers } from './zip-archive.ts';

const wheel = {
  requirement: 'tensorflow-cpu==2.21.0',
  version: '2.21.0',
  file: 'tensorflow_cpu-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl',
  python: '3.11',
  platform: 'manylinux_2_27_x86_64',
  sha256: '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c',
};
const libraries = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];
const headerFolders = [
  'tensorflow/c/',
  'tensorflow/core/platform/ctstring',
  'tsl/platform/ctstring',
  'xla/tsl/c/',
];

export interface WheelOptions {
  readonly cache: string;
  /** A copy of the wheel that is already here; pip is not asked then. */
  readonly wheelFile: string | undefined;
  readonly compiler: string;
  readonly nodeHeaders: string | undefined;
  readonly log: (message: string) => void;
}

/** Puts the wheel's TensorFlow behind the package. Null when it is in place, else why it is not. */
export async function installWheelBuild(
  nativePackage: NativePackage,
  options: WheelOptions,
): Promise<string | null> {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return 'the TensorFlow wheel can be used on Linux x64 only';
  const unpacked = path.join(options.cache, `tensorflow-${wheel.version}`);
  const addon = path.join(
    options.cache,
    `tfjs-node-${nativePackage.version}-tensorflow-${wheel.version}.node`,
  );
  if (!existsSync(addon)) {
    const headers = findNodeHeaders(options.nodeHeaders);
    if (headers === null) return 'node_api.h was not found (set NODE_INCLUDE to the folder that holds it)';
    if (!canRun(options.compiler, '--version'))
      return `there is no C++ compiler "${options.compiler}" to build the addon with`;
    const missing = existsSync(unpacked) ? null : await unpackWheel(unpacked, options);
    if (missing !== null) return missing;
    options.log('compiling the addon');
    if (!compileAddon({ nativePackage, unpacked, addon, headers, compiler: options.compiler }))
      return 'compiling the addon failed';
  } else if (!existsSync(unpacked)) {
    const missing = await unpackWheel(unpacked, options);
    if (missing !== null) return missing;
  }
  linkIntoPackage(nativePackage, addon, path.join(unpacked, 'lib'));
  return null;
}

function canRun(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

function findNodeHeaders(given: string | undefined): string | null {
  const besideNode = path.join(path.dirname(process.execPath), '..', 'include', 'node');
  const candidates = [...(given === undefined ? [] : [given]), besideNode, '/usr/include/node'];
  return candidates.find((folder) => existsSync(path.join(folder, 'node_api.h'))) ?? null;
}

async function unpackWheel(unpacked: string, options: WheelOptions): Promise<string | null> {
  removeLeftovers(options.cache);
  const part = `${unpacked}.${randomUUID()}.part`;
  mkdirSync(part, { recursive: true });
  try {
    const file = options.wheelFile ?? downloadWheel(part, options.log);
    if (!existsSync(file))
      return options.wheelFile === undefined ? file : 'the file in TFJS_TF_WHEEL does not exist';
    // A wheel that was swapped on the way or in a mirror would run as native code here: only the pinned bytes do.
    if ((await sha256OfFile(file)) !== wheel.sha256)
      return 'the TensorFlow wheel does not have the pinned sha256';
    options.log('unpacking the TensorFlow wheel');
    await unpackNeeded(file, part);
    rmSync(path.join(part, 'download'), { recursive: true, force: true });
    renameUnlessThere(part, unpacked);
    return null;
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
}

/** Path of the downloaded wheel, or the reason why there is none (which is no path of an existing file). */
function downloadWheel(part: string, log: (message: string) => void): string {
  const python = ['python3', 'python'].find((command) => canRun(command, '-m', 'pip', '--version'));
  if (python === undefined) return 'there is no Python with pip to download the TensorFlow wheel with';
  log('downloading the TensorFlow wheel (274 MB)');
  const folder = path.join(part, 'download');
  const selection = ['--python-version', wheel.python, '--platform', wheel.platform];
  const quiet = ['-qq', '--disable-pip-version-check', '--no-deps', '--only-binary=:all:'];
  spawnSync(python, ['-m', 'pip', 'download', ...quiet, ...selection, '-d', folder, wheel.requirement], {
    stdio: ['ignore', 2, 2],
  });
  const file = path.join(folder, wheel.file);
  return existsSync(file) ? file : `pip could not download ${wheel.requirement}`;
}

async function sha256OfFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

async function unpackNeeded(file: string, part: string): Promise<void> {
  const members = await listMembers(file);
  mkdirSync(path.join(part, 'lib'));
  for (const name of libraries) {
    const member = members.get(`tensorflow/${name}`);
    if (member === undefined) throw new Error(`the TensorFlow wheel has no ${name}`);
    const target = path.join(part, 'lib', name);
    await extractMember(file, member, target);
    spawnSync('strip', ['--strip-unneeded', target], { stdio: 'ignore' }); // saves a quarter of the space; not needed to run
  }
  for (const [name, member] of members) {
    const inner = name.startsWith('tensorflow/include/') ? name.slice('tensorflow/include/'.length) : '';
    // Members are named by us or lie under these folders; a name that climbs out of them is not written.
    if (
      !inner.endsWith('.h') ||
      inner.includes('..') ||
      !headerFolders.some((folder) => inner.startsWith(folder))
    )
      continue;
    const target = path.join(part, 'include', inner);
    mkdirSync(path.dirname(target), { recursive: true });
    await extractMember(file, member, target);
  }
}

/** What a killed run left of its 600 MB; a run that is still at work has touched its folder within the hour. */
function removeLeftovers(cache: string): void {
  mkdirSync(cache, { recursive: true });
  for (const name of readdirSync(cache)) {
    const leftover = path.join(cache, name);
    const status = statSync(leftover, { throwIfNoEntry: false });
    if (name.endsWith('.part') && status !== undefined && Date.now() - status.mtimeMs > 3_600_000) {
      rmSync(leftover, { recursive: true, force: true });
    }
  }
}

/** Another run may have finished first: its folder is as good as ours. */
function renameUnlessThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!existsSync(to)) throw error;
  }
}

interface Compilation {
  readonly nativePackage: NativePackage;
  readonly unpacked: string;
  readonly addon: string;
  readonly headers: string;
  readonly compiler: string;
}

function compileAddon({ nativePackage, unpacked, addon, headers, compiler }: Compilation): boolean {
  const part = `${addon}.${randomUUID()}.part`;
  const sources = ['tfjs_backend.cc', 'tfjs_binding.cc'].map((name) =>
    path.join(nativePackage.folder, 'binding', name),
  );
  const includes = [headers, path.join(unpacked, 'include'), path.dirname(nativePackage.folder)].map(
    (folder) => `-I${folder}`,
  );
  const defines = ['-DNAPI_VERSION=8', '-DBUILDING_NODE_EXTENSION'];
  const linked = libraries.map((name) => path.join(unpacked, 'lib', name));
  const args = ['-shared', '-fPIC', '-O2', '-std=c++17', ...defines, ...includes, ...sources, ...linked];
  const compiled = spawnSync(compiler, [...args, '-Wl,-rpath,$ORIGIN/../../deps/lib', '-o', part], {
    stdio: ['ignore', 2, 2],
  });
  if (compiled.status === 0) renameSync(part, addon);
  rmSync(part, { force: true });
  return compiled.status === 0;
}

/** Two renames: the shared objects first, so that an addon that is there finds them. */
function linkIntoPackage(nativePackage: NativePackage, addon: string, libraryFolder: string): void {
  const link = path.join(nativePackage.folder, 'deps', 'lib');
  mkdirSync(path.dirname(link), { recursive: true });
  const linkPart = `${link}.${randomUUID()}.part`;
  symlinkSync(libraryFolder, linkPart);
  // A folder here is what is left of an official download that did not end.
  if (lstatSync(link, { throwIfNoEntry: false })?.isDirectory() === true)
    rmSync(link, { recursive: true, force: true });
  renameSync(linkPart, link);
  const target = path.join(nativePackage.folder, nativePackage.addonFile);
  mkdirSync(path.dirname(target), { recursive: true });
  const part = `${target}.${randomUUID()}.part`;
  copyFileSync(addon, part);
  renameSync(part, target);
}
