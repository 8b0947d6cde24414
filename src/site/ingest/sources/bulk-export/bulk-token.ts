// The access token of a SMART Backend Services client (private_key_jwt, RFC 7523): asked for with a signed assertion, kept while it holds.
import { toHex } from '#base/bytes.ts';
import { systemClock } from '#base/clock.ts';
import { openJwsSigner } from '#federation/crypto/json-web-signature.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';
import { BulkExportError } from './bulk-error.ts';
import type { BulkExportClient } from './bulk-settings.ts';

/** At most five minutes (SMART App Launch 2.2, section 4.1.5.1). */
const assertionSeconds = 240;
/** A token is renewed so long before it ends. */
const marginMs = 30_000;
const standardSeconds = 300;

export class BulkToken {
  readonly #client: BulkExportClient;
  readonly #post: (url: string, form: string) => Promise<unknown>;
  #token: { readonly text: string; readonly untilMs: number } | undefined;

  constructor(client: BulkExportClient, post: (url: string, form: string) => Promise<unknown>) {
    this.#client = client;
    this.#post = post;
  }

  /** @throws BulkExportError BULK_NOT_ALLOWED, BULK_BAD_ANSWER. */
  async current(): Promise<string> {
    const held = this.#token;
    if (held !== undefined && held.untilMs - marginMs > systemClock.nowMs()) return held.text;
    return this.renew();
  }

  async renew(): Promise<string> {
    const { clientId, tokenUrl, scope } = this.#client;
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      scope,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: this.#assertion(),
    });
    this.#token = undefined;
    const answer = await this.#ask(tokenUrl, form.toString());
    const { access_token: text, expires_in: seconds } = answer as Record<string, unknown>;
    // Sent in a header: nothing may break out of it.
    if (typeof text !== 'string' || !/^[\x21-\x7e]{1,16384}$/.test(text) || clientId === '')
      throw new BulkExportError('BULK_BAD_ANSWER', 'The server gave no access token.');
    const lastsSeconds = typeof seconds === 'number' && seconds > 0 ? seconds : standardSeconds;
    this.#token = { text, untilMs: systemClock.nowMs() + lastsSeconds * 1_000 };
    return text;
  }

  async #ask(tokenUrl: string, form: string): Promise<object> {
    try {
      const answer = await this.#post(tokenUrl, form);
      return typeof answer === 'object' && answer !== null ? answer : {};
    } catch (error) {
      if (!(error instanceof BulkExportError) || error.status === null || error.pauseMs !== null) throw error;
      // RFC 6749 section 5.2 answers 400 to a client that it does not know.
      throw new BulkExportError('BULK_NOT_ALLOWED', 'The server does not accept the client.', {
        status: error.status,
      });
    }
  }

  #assertion(): string {
    const { clientId, tokenUrl, signingKey, keyId } = this.#client;
    const nowSeconds = Math.floor(systemClock.nowMs() / 1_000);
    return openJwsSigner(signingKey).sign(
      { typ: 'JWT', ...(keyId === null ? {} : { kid: keyId }) },
      {
        iss: clientId,
        sub: clientId,
        aud: tokenUrl,
        iat: nowSeconds,
        exp: nowSeconds + assertionSeconds,
        jti: toHex(systemRandom(16)),
      },
    );
  }
}
