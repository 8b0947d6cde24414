// A WebSocket as the RPC handler gets it: whatever a client sends, its own connection ends and nothing else does.
import type { WebSocket } from 'ws';
import type { Logger } from '#base/logger.ts';

/** Status codes of RFC 6455 section 7.4.1. */
const unsupportedData = 1003;
const policyViolation = 1008;

/**
 * Listens to errors (a frame that is none or too large would otherwise end the process) and passes JSON text alone on: the
 * handler would print what it cannot parse to standard error as it is, and that could be a patient's name.
 */
export function guardSocket(
  webSocket: WebSocket,
  logger: Logger,
): Pick<WebSocket, 'addEventListener' | 'send'> {
  const refuse = (code: number): void => {
    logger.warn('a connection was ended', { code: 'BAD_INPUT' });
    webSocket.close(code);
  };
  webSocket.on('error', () => logger.warn('a connection was ended', { code: 'BAD_INPUT' }));
  webSocket.on('message', (_data, isBinary) => {
    if (isBinary) refuse(unsupportedData);
  });
  const addEventListener: WebSocket['addEventListener'] = (type, listener) => {
    if (type !== 'message' || typeof listener !== 'function')
      return webSocket.addEventListener(type, listener);
    const pass = listener as (event: { readonly data: unknown }) => void;
    webSocket.addEventListener('message', (event) => {
      if (typeof event.data !== 'string') return;
      if (isMessage(event.data)) pass(event);
      else refuse(policyViolation);
    });
  };
  return { send: webSocket.send.bind(webSocket), addEventListener };
}

/** Every message of the RPC protocol is a JSON object. */
function isMessage(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
