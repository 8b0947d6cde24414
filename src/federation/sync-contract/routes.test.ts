import { describe, expect, it } from 'vitest';
import { type Route, routePath, routes } from '#federation/sync-contract/routes.ts';

const table: [string, Route][] = Object.entries(routes);

describe('the routes', () => {
  it('are signed, all but the enrolment', () => {
    expect(table.filter(([, { isSigned }]) => !isSigned).map(([name]) => name)).toEqual(['enrol']);
  });

  it('differ in method or path', () => {
    const names = table.map(([, { method, path }]) => `${method} ${path.replace(/:\w+/g, ':')}`);
    expect(new Set(names).size).toBe(names.length);
  });

  it('get their parameters put in', () => {
    const parameters = {
      researchStudyId: 'heart-disease',
      round: 12,
      remedy: 3,
      bundleId: 'ab'.repeat(32),
      requestDigest: 'ab'.repeat(32),
      oldSize: 1,
      size: 2,
    };
    expect(table.map(([, route]) => routePath(route, parameters))).toEqual([
      '/v1/enrolments',
      '/v1/trust-list',
      '/v1/research-studies',
      '/v1/research-studies/heart-disease/plan',
      '/v1/research-studies/heart-disease/rounds/open',
      '/v1/research-studies/heart-disease/remedies/3',
      '/v1/research-studies/heart-disease/models/12',
      '/v1/research-studies/heart-disease/models/12/tensors',
      '/v1/research-studies/heart-disease/models/12/proof',
      '/v1/log-consistency/1/2',
      `/v1/updates/${'ab'.repeat(32)}`,
      '/v1/remedy-requests',
      `/v1/remedy-requests/${'ab'.repeat(32)}/answer`,
      '/v1/log-checkpoints',
    ]);
  });

  it.each([
    [{ researchStudyId: '../updates', round: 1 }],
    [{ researchStudyId: 'a/b', round: 1 }],
    [{ researchStudyId: 'a', round: -1 }],
    [{ researchStudyId: 'a', round: 1.5 }],
    [{ researchStudyId: 'a', round: '01' }],
    [{ researchStudyId: '', round: 1 }],
    [{ round: 1 }],
  ])('do not take %j', (parameters) => {
    expect(() => routePath(routes.model, parameters)).toThrow(expect.objectContaining({ code: 'BUG' }));
  });
});
