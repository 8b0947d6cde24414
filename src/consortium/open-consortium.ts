// The consortium's composition root: opens each stage in order and gives the operator's operations and the sites' server.
import { toHex } from '#base/bytes.ts';
import { BugError } from '#base/coded-error.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';
import { consortiumLogOrigin } from '#federation/records/published-model.ts';
import { createOperations, settleRound } from './create-operations.ts';
import { openTrustRegister } from './enrolment/index.ts';
import { createSyncServer, createSyncService, type SyncServer } from './http/index.ts';
import type { ConsortiumOperations } from './operations.ts';
import type { ConsortiumPorts } from './ports.ts';
import { findPlan, listResearchStudies } from './publish/index.ts';
import { softwareVersion } from './software.ts';
import { certificateDigest } from './store/consortium-keys.ts';
import {
  createConsortiumSigners,
  type Foundation,
  isBegun,
  loadSetting,
  openConsortiumLog,
  openConsortiumStore,
  saveSetting,
} from './store/index.ts';

export interface Consortium {
  readonly operations: ConsortiumOperations;
  /** sha256 of the TLS certificate, which sites pin. */
  readonly certificateDigest: string;
  /** Whether the first trust list was signed. */
  readonly isBegun: boolean;
  /** Names the consortium and signs its first trust list. `url` is where sites reach it, where that is fixed. */
  begin(name: string, url: string | undefined): void;
  /** The HTTPS server for sites, not listening yet: `listen`, or `inject` in a test. */
  createServer(): Promise<SyncServer>;
  /** Names the URL that the server answers at; for invitations one that was set by `begin` goes first. */
  announce(url: string): void;
  close(): void;
}

/** Room for envelopes, approvals and the tags of the chunks around a payload. */
const SEALING_BYTES = 1024 * 1024;

/**
 * Opens a consortium. A round that was complete when the last process ended is closed now.
 * @throws DatabaseError DATABASE_UNREADABLE, DATABASE_TOO_NEW.
 */
export function openConsortium(ports: ConsortiumPorts): Consortium {
  const { keys, logger } = ports;
  const foundation = openFoundation(ports);
  const { store, log } = foundation;
  const register = openTrustRegister(foundation);
  const digest = certificateDigest(keys.tls.certificate);
  const listening: { url?: string } = {};
  const url = (): string | null => loadSetting(store, 'url') ?? listening.url ?? null;
  const settle = (researchStudyId: string): void =>
    settleRound(foundation, register, { researchStudyId, logger });
  for (const researchStudyId of listResearchStudies(store)) settle(researchStudyId);
  const service = createSyncService({ foundation, register, settle });
  const authorities = (): string[] =>
    [url(), listening.url].flatMap((known) => (known ? [new URL(known).host] : []));
  const maxSealedBytes = (): number => {
    const plans = listResearchStudies(store).map((id) => findPlan(store, register.current(), id)?.plan);
    return SEALING_BYTES + Math.max(0, ...plans.map((plan) => plan?.limits.maxUpdateBytes ?? 0));
  };
  return {
    operations: createOperations(foundation, register, {
      url,
      certificateDigest: digest,
      service,
      maxSealedBytes,
    }),
    certificateDigest: digest,
    get isBegun() {
      return isBegun(store);
    },
    begin: (name, publicUrl) => {
      if (isBegun(store)) throw new BugError('a consortium begins once');
      store.transaction(() => {
        saveSetting(store, 'name', name);
        if (publicUrl !== undefined) saveSetting(store, 'url', publicUrl);
        log.append({
          actor: 'operator',
          action: 'consortium-initialised',
          outcome: 'success',
          detail: { name },
        });
        register.begin(name);
      });
    },
    createServer: () =>
      createSyncServer({ tls: keys.tls, service, foundation, register, logger, authorities, maxSealedBytes }),
    announce: (at) => {
      listening.url = at;
      store.transaction(() =>
        log.append({ actor: 'system', action: 'consortium-started', outcome: 'success' }),
      );
    },
    close: () => store.close(),
  };
}

function openFoundation(ports: ConsortiumPorts): Foundation {
  const store = openConsortiumStore({ file: ports.storeFile, key: ports.keys.storeKey, clock: ports.clock });
  const signers = createConsortiumSigners(ports.keys);
  const log = openConsortiumLog({
    store,
    signer: signers.log,
    origin: consortiumLogOrigin(signers.root.keyId),
    bootId: toHex(systemRandom(8)),
    softwareVersion,
  });
  return { store, log, signers };
}
