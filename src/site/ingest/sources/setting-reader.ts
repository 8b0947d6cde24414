// Reads the settings of a source by name and kind of value. A refusal names the setting and what it must be, never what it is.
import { badSetting } from './source-error.ts';
import type { SourceSettings } from './source-kind.ts';

export class SettingReader {
  readonly #settings: SourceSettings;
  readonly #known = new Set<string>();

  constructor(settings: SourceSettings) {
    this.#settings = settings;
  }

  /** @throws SourceError BAD_SOURCE_SETTINGS where it is missing. */
  text(name: string): string {
    const text = this.optionalText(name);
    if (text === null) throw badSetting(name, 'a text');
    return text;
  }

  optionalText(name: string): string | null {
    this.#known.add(name);
    const value = this.#settings[name];
    if (value === undefined || value === '') return null;
    if (typeof value === 'boolean') throw badSetting(name, 'a text');
    return String(value).trim();
  }

  /** A certificate or key; OpenSSL takes any other text for an authority that signs nothing. */
  optionalPem(name: string): string | null {
    const text = this.optionalText(name);
    if (text !== null && !/-----BEGIN [A-Z ]{1,40}-----/.test(text)) throw badSetting(name, 'PEM');
    return text;
  }

  /** Texts with commas between them. */
  list(name: string): string[] {
    return (this.optionalText(name) ?? '')
      .split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== '');
  }

  /** A whole number between the bounds; `standard` where it is not set. */
  count(name: string, { standard, min, max }: { standard: number; min: number; max: number }): number {
    this.#known.add(name);
    const value = this.#settings[name] ?? standard;
    const count = typeof value === 'string' && /^\d{1,15}$/.test(value.trim()) ? Number(value) : value;
    if (typeof count !== 'number' || !Number.isSafeInteger(count) || count < min || count > max)
      throw badSetting(name, `a whole number from ${min} to ${max}`);
    return count;
  }

  /** A name that is not read is a mistake: `prot` for `port` would leave the standard in force. */
  refuseUnknown(): void {
    const unknown = Object.keys(this.#settings).find((name) => !this.#known.has(name));
    if (unknown !== undefined)
      throw badSetting(/^[A-Za-z]{1,40}$/.test(unknown) ? unknown : 'unknown', 'a known setting');
  }
}
