import { describe, expect, it } from 'vitest';
import { dicomFile } from '#support/dicom-object.ts';
import {
  deepSet,
  exampleTag,
  type Outcome,
  outcomesOf,
  plantedElement,
  plantedOffsetDays,
  profileObject,
} from '#support/profile-object.ts';
import { findElement } from './data-set.ts';
import { deidentifyDicom } from './deidentify-dicom.ts';
import { type ProfileOption, type ProfileRow, profileRows, resolveProfile } from './profile.ts';
import { createUidMapper } from './uid-mapper.ts';

const mapUid = createUidMapper(new Uint8Array(32).fill(5));

/** What the table's action codes let a value become (PS3.15 E.1), read from the row and not from the resolved rule. */
function allowedOutcomes(row: ProfileRow, options: readonly ProfileOption[]): Outcome[] {
  const words: Readonly<Record<string, readonly Outcome[]>> = {
    X: ['absent'],
    Z: ['empty', 'dummy'],
    D: ['dummy'],
    U: ['new-uid'],
    'U*': ['uids-replaced-inside'],
    K: ['unchanged', 'uids-replaced-inside'],
  };
  const allowed = row.basic.split('/').flatMap((action) => words[action] ?? []);
  for (const option of options) {
    const action = row.options.get(option);
    if (action === 'K') allowed.push(...(words.K ?? []));
    if (action === 'C') allowed.push(option === '113107' ? 'shifted-date' : 'cleaned');
  }
  return allowed;
}

const tags = profileRows.map(({ pattern }) => exampleTag(pattern));

describe('the confidentiality profile', () => {
  it('has the 621 rows of PS3.15 2024e Table E.1-1', () => {
    expect(profileRows).toHaveLength(621);
    expect(new Set(tags).size).toBe(621);
    expect(profileRows.every(({ basic }) => /^([XZDU]|U\*)(\/([XZD]|U\*))*$/.test(basic))).toBe(true);
  });

  it.each<{ options: ProfileOption[] }>([
    { options: [] },
    { options: ['113107', '113108'] },
    { options: ['113105', '113107', '113108', '113109', '113112'] },
  ])(
    'is applied to all 621 attributes, at the top and inside items, with options $options',
    ({ options }) => {
      const object = profileObject(tags);
      const { dataSet } = deidentifyDicom(dicomFile(object), {
        subjectId: 'subject',
        dateOffsetDays: plantedOffsetDays,
        mapUid,
        profile: { options: new Set(options), safePrivate: [] },
      });
      const places = [
        { place: 1, before: object, after: dataSet },
        { place: 2, before: deepSet(object), after: deepSet(dataSet) },
      ];
      const wrong = profileRows.flatMap((row) => {
        const tag = exampleTag(row.pattern);
        const allowed = allowedOutcomes(row, options);
        return places.flatMap(({ place, before, after }) => {
          const found = outcomesOf(
            findElement(before, tag) ?? plantedElement(tag, place),
            findElement(after, tag),
          );
          return allowed.some((outcome) => found.has(outcome))
            ? []
            : [`${row.pattern}@${place}: ${[...found]} not in ${allowed}`];
        });
      });
      expect(wrong).toEqual([]);
    },
  );

  it('resolves what depends on the IOD by what the IOD requires', () => {
    const actionOf = (tag: number, sopClass: string) =>
      resolveProfile(new Set(), `1.2.840.10008.5.1.4.1.1.${sopClass}`).get(tag)?.action;
    expect(actionOf(0x00080023, '4')).toBe('empty');
    expect(actionOf(0x00080023, '88.33')).toBe('dummy');
    expect(actionOf(0x00181000, '4')).toBe('remove');
    expect(actionOf(0x00181000, '4.1')).toBe('dummy');
    expect(actionOf(0x00081070, '481.5')).toBe('empty');
    expect(actionOf(0x00081070, '2')).toBe('remove');
    expect(actionOf(0x00400555, '1.1')).toBe('empty');
  });
});
