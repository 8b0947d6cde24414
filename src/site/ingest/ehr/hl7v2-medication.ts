// What HL7 v2 says of drugs and vaccines: given (RXA of VXU and RAS), prescribed (RXE of RDE), dispensed (RXD of RDS).
import { RowRefusal } from '../clinical-record.ts';
import { readHl7Time } from './hl7-time.ts';
import {
  type MessageContext,
  orderParts,
  patientParts,
  readCodedElement,
  readFirstTime,
  type SegmentReading,
} from './hl7v2-context.ts';
import type { Segment } from './hl7v2-message.ts';

/** Where each segment has its code, its start and its end. */
interface DrugFields {
  readonly code: number;
  readonly start: readonly (readonly [segment: string, at: number])[];
  readonly end: readonly [segment: string, at: number] | null;
}

const drugFields: Readonly<Record<'RXA' | 'RXD' | 'RXE', DrugFields>> = {
  RXA: { code: 5, start: [['RXA', 3]], end: ['RXA', 4] },
  RXD: { code: 2, start: [['RXD', 3]], end: null },
  RXE: {
    code: 2,
    start: [
      ['TQ1', 7],
      ['RXE', 32],
      ['ORC', 15],
      ['ORC', 9],
    ],
    end: ['TQ1', 8],
  },
};

/** Orders that were cancelled, discontinued or replaced (tables 0119 and 0038). */
const cancelledControls = new Set(['CA', 'CR', 'OC', 'OD', 'DC', 'DR']);
const cancelledStatuses = new Set(['CA', 'RP']);

/** @throws RowRefusal. */
export function readDrugSegment(segment: Segment, context: MessageContext): SegmentReading {
  const { fields, above, zone } = context;
  const name = segment.name === 'RXA' ? 'RXA' : segment.name === 'RXD' ? 'RXD' : 'RXE';
  const places = drugFields[name];
  const completion = name === 'RXA' ? fields.text(segment, 20) : '';
  const isNotGiven = completion === 'RE' || completion === 'NA';
  if (!isNotGiven && !['', 'CP', 'PA'].includes(completion)) throw new RowRefusal('BAD_VALUE', 'RXA-20');
  const field = `${name}-${places.code}`;
  const written = fields.repetitions(segment, places.code)[0];
  const code = readCodedElement(fields, written, { field, kind: 'medication' });
  const sourceId = [
    'hl7v2',
    'drug',
    name,
    ...patientParts(context),
    ...orderParts(context),
    code.system,
    code.code,
  ];
  // Refused or not given: what an earlier message said of it is taken back.
  if (isNotGiven) return { sourceId, facts: [] };
  const order = above.get('ORC');
  const isCancelled =
    cancelledControls.has(fields.text(order, 1)) || cancelledStatuses.has(fields.text(order, 5));
  if (isCancelled || (name === 'RXA' && fields.text(segment, 21) === 'D')) return { sourceId, facts: null };
  const at = (place: readonly [string, number]) =>
    [place[0] === name ? segment : place[0], place[1]] as const;
  const { day, second } = readFirstTime(context, places.start.map(at));
  const endSegment =
    places.end === null ? undefined : places.end[0] === name ? segment : above.get(places.end[0]);
  const end = places.end === null ? '' : fields.text(endSegment, places.end[1]);
  const stated = end === '' ? null : readHl7Time(end, `${places.end?.join('-')}`, zone).day;
  const endDay = stated !== null && stated < day ? null : stated;
  return { sourceId, facts: [{ kind: 'medication', part: 'value', code, value: null, day, second, endDay }] };
}
