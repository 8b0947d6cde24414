// The operator's operations over the open stages, and what the consortium does by itself: closing a round that is complete.
import { CodedError } from '#base/coded-error.ts';
import type { Logger } from '#base/logger.ts';
import { openMediaFolder } from '#base/media-folder.ts';
import { bundlePath } from '#federation/sync-contract/bundle-manifest.ts';
import { recomputeModels } from './aggregate/index.ts';
import { exportBundle, importBundle } from './bundle/index.ts';
import { createInvitation, EnrolmentError, type TrustRegister } from './enrolment/index.ts';
import type { SyncService } from './http/index.ts';
import type { ConsortiumOperations } from './operations.ts';
import { publishPlan, readStatistics } from './publish/index.ts';
import {
  carryOutRemedy,
  closeCompleteRound,
  closeRoundEarly,
  dismissRemedy,
  openRound,
} from './rounds/index.ts';
import { readStatus } from './status.ts';
import type { Foundation } from './store/index.ts';

export interface ConsortiumAddress {
  /** https URL for sites; null where none was set and nothing listens. */
  readonly url: () => string | null;
  readonly certificateDigest: string;
}

export interface OperationsOptions extends ConsortiumAddress {
  /** What sites may ask and bring, also by an offline bundle. */
  readonly service: SyncService;
  readonly maxSealedBytes: () => number;
}

export function createOperations(
  foundation: Foundation,
  register: TrustRegister,
  { url, certificateDigest, service, maxSealedBytes }: OperationsOptions,
): ConsortiumOperations {
  const { store, log } = foundation;
  return {
    status: async () => readStatus({ store, trust: register.current(), url: url(), certificateDigest }),
    invite: async (request) => {
      const known = url();
      if (known === null) throw noUrl();
      return createInvitation(foundation, { url: known, certificateDigest }, request);
    },
    publishPlan: async ({ plan }) => publishPlan(foundation, register.current(), plan),
    openRound: async (request) => openRound(foundation, register.current(), request),
    closeRound: async ({ researchStudyId }) =>
      closeRoundEarly(foundation, register.current(), researchStudyId),
    carryOutRemedy: async ({ researchStudyId }) =>
      carryOutRemedy(foundation, register.current(), researchStudyId),
    dismissRemedy: async (dismissal) => dismissRemedy(foundation, dismissal),
    statistics: async ({ researchStudyId }) => ({
      statistics: readStatistics(store, register.current(), researchStudyId) ?? null,
    }),
    exportBundle: async ({ directory, ...order }) =>
      exportBundle(foundation, service, { ...order, media: openMediaFolder(bundlePath(directory)) }),
    importBundle: async ({ directory }) =>
      importBundle(foundation, {
        service,
        trust: register.current(),
        maxSealedBytes: maxSealedBytes(),
        media: openMediaFolder(bundlePath(directory)),
      }),
    verifyAudit: async () => {
      const verification = log.verify();
      const { verified, models } = await recomputeModels(foundation, register.current());
      const isVerified = verification.verified && verified;
      const outcome = isVerified ? 'success' : 'failed';
      store.transaction(() => log.append({ actor: 'operator', action: 'log-verified', outcome }));
      return { verified: isVerified, log: verification, models };
    },
  };
}

function noUrl(): EnrolmentError {
  return new EnrolmentError(
    'URL_UNKNOWN',
    'Nobody knows yet where sites reach this consortium: set a URL at init, or serve it first.',
  );
}

/** Closes the open round of a research study where every update is in. A fault, of whatever kind, leaves it open with a log entry. */
export function settleRound(
  foundation: Foundation,
  register: TrustRegister,
  { researchStudyId, logger }: { readonly researchStudyId: string; readonly logger: Logger },
): void {
  try {
    const closed = closeCompleteRound(foundation, register.current(), researchStudyId);
    if (closed !== undefined)
      logger.info('round closed', { researchStudyId, round: closed.round, kind: closed.kind });
  } catch (error) {
    // Whatever it is, bugs too: what one site sent must not keep others from their receipts, nor the consortium from starting.
    const { store, log } = foundation;
    const reason = error instanceof CodedError ? error.code : 'BUG';
    store.transaction(() =>
      log.append({ actor: 'system', action: 'round-closed', outcome: 'failed', reason, researchStudyId }),
    );
    logger.error('round not closed', {
      researchStudyId,
      code: reason,
      stack: error instanceof Error ? error.stack : undefined,
    });
  }
}
