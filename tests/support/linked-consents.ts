// Consents of one patient that replace one another, drawn from a seed: by reference or by an identifier, newer and older, by the patient
// and by others.
import { utf8 } from '#base/bytes.ts';
import { sha256 } from '#federation/crypto/digest.ts';
import { createKeystream } from '#federation/crypto/keystream.ts';

type Consent = Record<string, unknown>;

const dateTimes = ['2019-01-01', '2019-05-05', '2020-01-01', '2020-01-01', '2021-03-03', '2021-09-09'].concat(
  ['2031-01-01'],
);
const performers = [
  undefined,
  undefined,
  undefined,
  ['Patient/p1'],
  ['Patient/p1', 'Practitioner/d1'],
  ['RelatedPerson/mother'],
  ['RelatedPerson/father', 'Practitioner/d1'],
];
const identifiers = [
  [{ system: 'urn:forms', value: '1' }],
  [{ system: 'urn:forms', value: '2' }, { value: '1' }],
  [{ value: '1' }],
];

/** The consents with what ties them to each other; most of three are tied. */
export function linkConsents(seed: string, consents: readonly Consent[]): Consent[] {
  const keystream = createKeystream(sha256(utf8(seed)));
  const draw = (bound: number) => keystream.nextBelow(bound);
  const pick = <T>(choices: readonly T[]): T => choices[draw(choices.length)] as T;
  return consents.map((consent) => {
    const { dateTime: _, ...said } = consent;
    const [dateTime, performer, named] = [pick([...dateTimes, undefined]), pick(performers), pick(consents)];
    return {
      ...said,
      ...(dateTime === undefined ? {} : { dateTime }),
      ...(performer === undefined ? {} : { performer: performer.map((reference) => ({ reference })) }),
      ...(draw(2) === 0 ? { identifier: pick(identifiers) } : {}),
      ...(draw(2) === 0 ? { sourceReference: { reference: `Consent/${String(named.id)}` } } : {}),
    };
  });
}
