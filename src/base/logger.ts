// One JSON line per event on standard error. Fields pass through `redact`; messages are constants.
import pino from 'pino';
import { redact } from '#base/redact.ts';

export interface Logger {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** A logger to standard error. `CONSILIUM_LOG` sets the level (default `info`). */
export function createLogger(name: string): Logger {
  const sink = pino(
    { name, level: process.env.CONSILIUM_LOG ?? 'info', base: null },
    pino.destination({ dest: 2, sync: true }),
  );
  return {
    info: (message, fields = {}) => sink.info(redact(fields), message),
    warn: (message, fields = {}) => sink.warn(redact(fields), message),
    error: (message, fields = {}) => sink.error(redact(fields), message),
  };
}

export const silentLogger: Logger = { info: () => {}, warn: () => {}, error: () => {} };
