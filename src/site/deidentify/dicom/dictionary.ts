// Value representation and keyword of every public tag (PS3.6), repeating groups included: what an implicit data set does not state.
import { createRequire } from 'node:module';

interface Entry {
  readonly vr: string;
  readonly keyword: string;
}

interface Range extends Entry {
  readonly from: readonly [group: number, element: number];
  readonly to: readonly [group: number, element: number];
}

/** VRs that dcmjs leaves open, as an implicit data set is best read: 16-bit words, unsigned until PixelRepresentation says else. */
const openVrs: Readonly<Record<string, string>> = { ox: 'OW', xs: 'US', lt: 'OW', up: 'UL', na: 'UN' };

/** VRs of PS3.6 that dcmjs 0.52 has wrong. A sequence taken for numbers would hide what is in it. */
const correctedVrs: Readonly<Record<string, string>> = {
  '(0066,0040)': 'OL',
  '(0066,0041)': 'OL',
  '(0066,0042)': 'OL',
  '(0066,0043)': 'OL',
  '(0068,62F0)': 'SQ',
  '(0070,150C)': 'UL',
  '(0076,0034)': 'SQ',
};
const rangePattern = /^\(([0-9A-F]{4})(?:-([0-9A-F]{4}))?,([0-9A-F]{4})(?:-([0-9A-F]{4}))?\)$/;

type StatedDictionary = typeof import('dcmjs/dictionary')['dictionary'];

interface Tables {
  readonly entries: Map<number, Entry>;
  readonly ranges: Range[];
  readonly signDependent: Set<number>;
}

let made: Tables | undefined;

/** Read when it is first asked for: it takes 20 MB, which threads that read no image do without. */
function tables(): Tables {
  if (made !== undefined) return made;
  const load = createRequire(import.meta.url);
  const { dictionary } = load('dcmjs/dictionary') as { readonly dictionary: StatedDictionary };
  made = { entries: new Map(), ranges: [], signDependent: new Set() };
  for (const [key, stated] of Object.entries(dictionary)) readEntry(made, key, stated);
  return made;
}

function readEntry(
  { entries, ranges, signDependent }: Tables,
  key: string,
  stated: StatedDictionary[string],
): void {
  const parts = rangePattern.exec(key);
  if (parts === null || stated?.vr === undefined) return;
  const [, group = '', lastGroup = group, element = '', lastElement = element] = parts;
  const entry: Entry = {
    vr: correctedVrs[key] ?? openVrs[stated.vr] ?? stated.vr,
    keyword: (stated.name ?? '').replace('RETIRED_', ''),
  };
  const from = [Number.parseInt(group, 16), Number.parseInt(element, 16)] as const;
  if (parts[2] === undefined && parts[4] === undefined) {
    const tag = tagOf(...from);
    entries.set(tag, entry);
    if (stated.vr === 'xs') signDependent.add(tag);
  } else {
    const to = [Number.parseInt(lastGroup, 16), Number.parseInt(lastElement, 16)] as const;
    ranges.push({ ...entry, from, to });
  }
}

/** One number for a group and an element, e.g. 0x00100020. */
export function tagOf(group: number, element: number): number {
  return group * 0x10000 + element;
}

/** Group of a tag. */
export function groupOf(tag: number): number {
  return tag >>> 16;
}

/** Whether a tag is private: of an odd group. */
export function isPrivateTag(tag: number): boolean {
  return (tag & 0x10000) !== 0;
}

/**
 * VR of a tag as an implicit data set is read: UN where no dictionary knows it; LO for private creators; UL for group lengths; OW for
 * pixel, overlay and table data; US for what `isSignDependent` names.
 */
export function vrOf(tag: number): string {
  const known = tables().entries.get(tag);
  if (known !== undefined) return known.vr;
  const element = tag & 0xffff;
  if (element === 0) return 'UL';
  if (isPrivateTag(tag)) return element >= 0x10 && element <= 0xff ? 'LO' : 'UN';
  return findRange(tag)?.vr ?? 'UN';
}

/** Keyword of a tag as PS3.6 writes it, or undefined for private and unknown tags. */
export function keywordOf(tag: number): string | undefined {
  return (tables().entries.get(tag) ?? findRange(tag))?.keyword;
}

/** Whether the tag is US or SS by PixelRepresentation (0028,0103) of its data set. */
export function isSignDependent(tag: number): boolean {
  return tables().signDependent.has(tag);
}

function findRange(tag: number): Entry | undefined {
  if (isPrivateTag(tag)) return undefined;
  const group = groupOf(tag);
  const element = tag & 0xffff;
  return tables().ranges.find(
    ({ from, to }) => group >= from[0] && group <= to[0] && element >= from[1] && element <= to[1],
  );
}
