import { describe, expect, it } from 'vitest';
import { redact } from '#base/redact.ts';

describe('redact', () => {
  it('keeps listed keys with plain values and drops everything else', () => {
    const kept = redact({
      code: 'BAD_DATE',
      rows: 3,
      patientName: 'Planted',
      path: '/home/Planted.csv',
      name: { nested: 'Planted' },
    });
    expect(kept).toEqual({ code: 'BAD_DATE', rows: 3 });
  });

  it('cuts long texts', () => {
    expect(redact({ reason: 'x'.repeat(500) }).reason).toHaveLength(120);
  });

  it('keeps the frames of a stack and not its message, which may quote what was parsed', () => {
    const stack = new SyntaxError('Unexpected token P in "Planted"').stack ?? '';
    const kept = String(redact({ stack }).stack);
    expect(kept).toContain(' at ');
    expect(kept).not.toContain('Planted');
  });
});
