// The way to the consortium under the pinned certificate, and this machine's clock beside the consortium's.
import { isCodedError } from '#base/coded-error.ts';
import type { SiteDiagnosis, Transport } from '#site/site.ts';
import { type Finding, notice, problem, sound } from './finding.ts';

export interface ConsortiumAsking {
  readonly consortium: SiteDiagnosis['consortium'];
  readonly transport: Transport;
  readonly nowMs: () => number;
}

/** Signed requests are refused beyond five minutes; a minute off is worth a look. */
const mostOffMs = 60_000;

const nextSteps: Readonly<Record<string, string>> = {
  CERTIFICATE_MISMATCH:
    'Do not go on: somebody may stand between. Compare the certificate digest with the consortium by telephone; a proxy that opens TLS must leave this address alone.',
  CONNECTION_FAILED:
    'Check the network, the firewall and the address of the consortium; the offline bundle needs no network.',
  TIMED_OUT: 'Check the network and the firewall, and try again later.',
};

export async function checkConsortium({
  consortium,
  transport,
  nowMs,
}: ConsortiumAsking): Promise<Finding[]> {
  if (consortium === null) {
    const message = 'This site has not joined a consortium.';
    const nextStep = 'Join with the invitation of the consortium: `consilium site enrol`.';
    return [notice('consortium', { code: 'SITE_NOT_ENROLLED', message, nextStep }), unchecked()];
  }
  const { url, certificateDigest, name } = consortium;
  const before = nowMs();
  try {
    const request = {
      method: 'GET',
      url: `${url}/`,
      certificateDigest,
      headers: {},
      timeoutMs: 10_000,
    } as const;
    const { headers } = await transport.send({ ...request, maxResponseBytes: 1 << 16 });
    const there = Date.parse(headers.date ?? '');
    const pinned = { certificateDigest };
    return [
      sound('consortium', `${name} answers under its pinned certificate.`, pinned),
      Number.isNaN(there) ? unchecked() : compareClocks((before + nowMs()) / 2, there),
    ];
  } catch (error) {
    if (!isCodedError(error)) throw error;
    const finding: Finding = {
      check: 'consortium',
      state: 'problem',
      code: error.code,
      message: error.message,
      nextStep: nextSteps[error.code] ?? 'See docs/errors.md.',
      details: { certificateDigest },
    };
    return [finding, unchecked()];
  }
}

/** The header has whole seconds: half a second of the difference is its own. */
function compareClocks(hereMs: number, thereMs: number): Finding {
  const offsetSeconds = Math.round((hereMs - thereMs) / 1000);
  const details = { offsetSeconds };
  if (Math.abs(hereMs - thereMs) <= mostOffMs) {
    return sound('clock', 'The clock agrees with the consortium’s to within a minute.', details);
  }
  const message = `The clock is ${Math.abs(offsetSeconds)} seconds ${offsetSeconds > 0 ? 'ahead of' : 'behind'} the consortium’s.`;
  const nextStep =
    'Let the system set its clock from the network (NTP); signatures and deadlines depend on it.';
  return problem('clock', { code: 'CLOCK_WRONG', message, nextStep, details });
}

function unchecked(): Finding {
  const message = 'The clock was not compared: no consortium answered.';
  return notice('clock', {
    code: 'CLOCK_UNCHECKED',
    message,
    nextStep: 'Run the doctor again when it does.',
  });
}
