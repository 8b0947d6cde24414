// Keeps what could name a person out of logs: only listed keys pass, and only with short, plain values.

const LOGGABLE_KEYS = new Set([
  'accepted',
  'action',
  'attempt',
  'bytes',
  'code',
  'count',
  'duplicate',
  'durationMs',
  'engine',
  'kind',
  'method',
  'outcome',
  'pid',
  'port',
  'quarantined',
  'reason',
  'rejected',
  'researchStudyId',
  'round',
  'rows',
  'signal',
  'siteId',
  'size',
  'stack',
  'status',
  'version',
]);

/** The loggable part of `fields`: unknown keys and values that are not numbers, booleans or short texts are dropped. */
export function redact(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(fields)) {
    if (!LOGGABLE_KEYS.has(key)) continue;
    if (typeof value === 'number' || typeof value === 'boolean') kept[key] = value;
    else if (typeof value === 'string') kept[key] = key === 'stack' ? frames(value) : value.slice(0, 120);
  }
  return kept;
}

/** Only the frames of a stack: the message above them may quote what was being parsed. */
function frames(stack: string): string {
  return stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .join('\n');
}
