// QIDO-RS (PS3.18 section 10.6): imaging studies by the filters of the source, and their SOP instances, page by page. A UID of an
// answer that is none goes into no path.
import { isUid } from '../dicom-receiver/dimse-message.ts';
import { DicomwebError } from './dicomweb-error.ts';
import type { DicomwebSettings } from './dicomweb-settings.ts';
import type { WebConnection } from './web-connection.ts';

const tag = { sopInstance: '00080018', imagingStudy: '0020000D', imagingSeries: '0020000E' } as const;

const mostImagingStudies = 1_000_000;
/** Of one imaging study: the largest have some ten thousands. */
const mostSopInstances = 100_000;

export interface FoundSopInstance {
  readonly imagingSeriesUid: string;
  readonly sopInstanceUid: string;
}

/** UIDs of imaging studies that fit the filters, each once for each patient id that was asked for. @throws DicomwebError. */
export async function* findImagingStudies(
  connection: WebConnection,
  settings: DicomwebSettings,
): AsyncGenerator<string> {
  const { patientIds, fromDay, untilDay, modalities } = settings;
  for (const patientId of patientIds.length === 0 ? [null] : patientIds) {
    for (const modality of modalities.length === 0 ? [null] : modalities) {
      const filters = new URLSearchParams();
      if (patientId !== null) filters.set('PatientID', patientId);
      if (modality !== null) filters.set('ModalitiesInStudy', modality);
      if (fromDay !== null || untilDay !== null)
        filters.set('StudyDate', `${fromDay ?? ''}-${untilDay ?? ''}`);
      const { pageSize } = settings;
      const list = { filters, pageSize, uidTag: tag.imagingStudy, most: mostImagingStudies };
      for await (const found of pages(connection, '/studies', list)) yield uidOf(found, tag.imagingStudy);
    }
  }
}

/** @throws DicomwebError. */
export async function* findSopInstances(
  connection: WebConnection,
  imagingStudyUid: string,
  pageSize: number,
): AsyncGenerator<FoundSopInstance> {
  const path = `/studies/${imagingStudyUid}/instances`;
  const filters = new URLSearchParams();
  const list = { filters, pageSize, uidTag: tag.sopInstance, most: mostSopInstances };
  for await (const found of pages(connection, path, list))
    yield {
      imagingSeriesUid: uidOf(found, tag.imagingSeries),
      sopInstanceUid: uidOf(found, tag.sopInstance),
    };
}

interface Paging {
  readonly filters: URLSearchParams;
  readonly pageSize: number;
  /** What tells one match from another. */
  readonly uidTag: string;
  /** More matches than a real list has. */
  readonly most: number;
}

/**
 * Every match, page by page. A server that cannot give so many at once (413) is asked for fewer.
 * @throws DicomwebError DICOMWEB_ANSWER_TOO_LARGE (attack: pages without end, which fill the memory).
 */
async function* pages(
  connection: WebConnection,
  path: string,
  { filters, pageSize, uidTag, most }: Paging,
): AsyncGenerator<Record<string, unknown>> {
  let limit = pageSize;
  let earlier = new Set<string>();
  for (let offset = 0; ; ) {
    const query = new URLSearchParams(filters);
    query.set('limit', String(limit));
    query.set('offset', String(offset));
    let answer: unknown;
    try {
      answer = await connection.getJson(`${path}?${query}`);
    } catch (error) {
      if (!(error instanceof DicomwebError) || error.status !== 413 || limit === 1) throw error;
      limit = Math.ceil(limit / 2);
      continue;
    }
    const matches = matchesOf(answer);
    const uids = new Set(matches.map((match) => uidOf(match, uidTag)));
    // A server that does not know `offset` gives the same page for ever, in whatever order.
    if ([...uids].every((uid) => earlier.has(uid))) return;
    earlier = uids;
    offset += matches.length;
    if (offset > most)
      throw new DicomwebError('DICOMWEB_ANSWER_TOO_LARGE', 'A list of the server does not end.');
    yield* matches;
  }
}

function matchesOf(answer: unknown): Record<string, unknown>[] {
  if (answer === null) return [];
  const isList =
    Array.isArray(answer) && answer.every((entry) => typeof entry === 'object' && entry !== null);
  if (!isList) throw badList();
  return answer;
}

function uidOf(match: Record<string, unknown>, name: string): string {
  const element = match[name];
  const value =
    typeof element === 'object' && element !== null && 'Value' in element && Array.isArray(element.Value)
      ? element.Value[0]
      : undefined;
  if (typeof value !== 'string' || !isUid(value)) throw badList();
  return value;
}

function badList(): DicomwebError {
  return new DicomwebError('DICOMWEB_BAD_ANSWER', 'A list of the server is not as PS3.18 says.');
}
