// The licence of every package that ships, in one text: name, version, stated licence, and the licence's own words.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

interface LockedPackage {
  readonly version?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly devOptional?: boolean;
}

interface PackageManifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string | { readonly type?: string };
}

/** Folders of the packages that ship, by package-lock.json: neither for development nor for another platform. */
export function shippedPackages(root: string): string[] {
  const lock = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, LockedPackage>>;
  };
  return Object.entries(lock.packages)
    .filter(([folder, { dev, devOptional }]) => folder !== '' && dev !== true && devOptional !== true)
    .map(([folder]) => folder)
    .filter((folder) => !/node_modules\/node-(linux|win)-x64$/.test(folder))
    .filter((folder) => existsSync(path.join(root, folder, 'package.json')));
}

/** One section for each package, in the order of their folders. */
export function thirdPartyLicences(root: string): string {
  const sections = shippedPackages(root).map((folder) => {
    const manifest = JSON.parse(
      readFileSync(path.join(root, folder, 'package.json'), 'utf8'),
    ) as PackageManifest;
    const stated = typeof manifest.license === 'string' ? manifest.license : manifest.license?.type;
    const texts = readdirSync(path.join(root, folder))
      .filter((name) => /^(licen[cs]e|copying|notice)/i.test(name))
      .sort()
      .map((name) => readFileSync(path.join(root, folder, name), 'utf8').trim());
    const head = `${manifest.name} ${manifest.version} (${stated ?? 'licence not stated'})`;
    return [head, '='.repeat(head.length), '', ...texts, ''].join('\n');
  });
  return sections.join('\n');
}
