// The public list of PS3.15 Table E.1-1, where CONSILIUM_DATA has it: the table that the product carries says the same, and what
// becomes of each attribute is what the list allows.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { profileRows } from '#site/deidentify/dicom/profile.ts';
import {
  createUidMapper,
  type DataSet,
  deidentifyDicom,
  findElement,
  type ProfileOption,
} from '#site/deidentify/index.ts';
import { dicomFile } from '#support/dicom-object.ts';
import {
  deepSet,
  exampleTag,
  outcomesOf,
  plantedElement,
  plantedOffsetDays,
  profileObject,
} from '#support/profile-object.ts';

interface Important {
  readonly tag: string;
  readonly allowed_basic: readonly string[];
  readonly allowed_study: readonly string[];
}
type Row = readonly [string, string | null, string | null, string, string, Readonly<Record<string, string>>];
interface PublicList {
  readonly important: readonly Important[];
  readonly all: readonly Row[];
}

const file = path.join(process.env.CONSILIUM_DATA ?? '', 'deid/basic-profile.json');
const isThere = process.env.CONSILIUM_DATA !== undefined && existsSync(file);
if (!isThere) {
  process.stderr.write(
    'the public list of the confidentiality profile not compared: CONSILIUM_DATA does not name a folder with deid\n',
  );
}
const list: PublicList = isThere
  ? (JSON.parse(readFileSync(file, 'utf8')) as PublicList)
  : { important: [], all: [] };

function deidentified(object: DataSet, options: readonly ProfileOption[]): DataSet {
  return deidentifyDicom(dicomFile(object), {
    subjectId: 'subject',
    dateOffsetDays: plantedOffsetDays,
    mapUid: createUidMapper(new Uint8Array(32).fill(8)),
    profile: { options: new Set(options), safePrivate: [] },
  }).dataSet;
}

/** What became of a tag at the top and two items deep. */
function outcomesAtBoth(tag: number, before: DataSet, after: DataSet): ReadonlySet<string>[] {
  return [[before, after, 1] as const, [deepSet(before), deepSet(after), 2] as const].map(
    ([was, is, place]) =>
      outcomesOf(findElement(was, tag) ?? plantedElement(tag, place), findElement(is, tag)),
  );
}

describe.runIf(isThere)('the public list of the confidentiality profile', () => {
  it('has the rows of the table that is carried', () => {
    const normalised = (pattern: string) =>
      pattern.includes('ODD') ? 'oddxxxxx' : pattern.replaceAll(/[(),]/g, '').toLowerCase();
    const stated = list.all.map(([tag, , vr, , basic]) => `${normalised(tag)} ${vr ?? '--'} ${basic}`);
    const carried = profileRows.map(({ pattern, vr, basic }) => `${pattern} ${vr} ${basic}`);
    expect(carried.sort()).toEqual(stated.sort());
  });

  it.each<{ name: 'allowed_basic' | 'allowed_study'; options: ProfileOption[] }>([
    { name: 'allowed_basic', options: [] },
    { name: 'allowed_study', options: ['113107', '113108'] },
  ])('allows what becomes of the 88 attributes that matter most ($name)', ({ name, options }) => {
    const object = profileObject(list.important.map(({ tag }) => exampleTag(tag)));
    const after = deidentified(object, options);
    const wrong = list.important.filter((row) =>
      outcomesAtBoth(exampleTag(row.tag), object, after).some(
        (found) => !row[name].some((outcome) => found.has(outcome)),
      ),
    );
    expect(list.important).toHaveLength(88);
    expect(wrong.map(({ tag }) => tag)).toEqual([]);
  });

  it('allows what becomes of all 621 attributes under the Basic Profile', () => {
    const words: Readonly<Record<string, readonly string[]>> = {
      X: ['absent'],
      Z: ['empty', 'dummy'],
      D: ['dummy'],
      U: ['new-uid'],
      'U*': ['uids-replaced-inside'],
    };
    const object = profileObject(list.all.map(([tag]) => exampleTag(tag)));
    const after = deidentified(object, []);
    const wrong = list.all.filter(([tag, , , , basic]) => {
      const allowed = basic.split('/').flatMap((action) => words[action] ?? []);
      return outcomesAtBoth(exampleTag(tag), object, after).some(
        (found) => !allowed.some((outcome) => found.has(outcome)),
      );
    });
    expect(list.all).toHaveLength(621);
    expect(wrong.map(([tag]) => tag)).toEqual([]);
  });
});
