// Verifies every log of a federation with the commands that anyone would use: in place, offline from an export, models recomputed.
import path from 'node:path';
import type { DemoFederation } from './demo-federation.ts';
import type { DemoProcesses } from './demo-processes.ts';
import type { DemoFindings } from './demo-report.ts';

interface VerifiedLog {
  readonly verified: boolean;
  readonly leafCount: number;
}

interface VerifiedConsortium {
  readonly verified: boolean;
  readonly log: VerifiedLog;
}

/** Each site's log in place and, offline, from its export and its public key; the consortium's with every model recomputed. */
export async function verifyLogs(
  { directory, sites, consortium }: DemoFederation,
  processes: DemoProcesses,
): Promise<DemoFindings['audit']> {
  const leafCounts: Record<string, number> = {};
  let verified = true;
  for (const { hospital, reached } of sites) {
    const inPlace = await reached.client.audit.verify();
    const exported = path.join(directory, 'audit', hospital.siteId);
    await reached.client.audit.export({ directory: exported });
    const offline = (await processes.run([
      'audit',
      'verify',
      exported,
      '--trust',
      path.join(exported, 'log-key.json'),
    ])) as VerifiedLog;
    leafCounts[hospital.siteId] = offline.leafCount;
    verified = verified && inPlace.verified && offline.verified;
  }
  const own = (await processes.run(['consortium', 'audit', 'verify', ...consortium])) as VerifiedConsortium;
  leafCounts.consortium = own.log.leafCount;
  return { verified: verified && own.verified, leafCounts };
}
