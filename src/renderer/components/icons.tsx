// The few line icons of the screens, drawn on a 20-unit grid. Always beside a word, so hidden from screen readers.
import type { JSX } from 'react';

const paths = {
  home: 'M3 9.2 10 3.5l7 5.7M5 8v8.5h3.6v-4.6h2.8v4.6H15V8',
  import: 'M10 3v9m0 0-3.4-3.4M10 12l3.4-3.4M3.5 12.5v3.2c0 .5.4.8.8.8h11.4c.4 0 .8-.3.8-.8v-3.2',
  consent:
    'M8 9.2a3.1 3.1 0 1 0 0-6.2 3.1 3.1 0 0 0 0 6.2ZM2.8 16.8c.3-3 2.4-4.8 5.2-4.8 1.2 0 2.3.3 3.2 1M12 14.8l1.9 1.9 3.4-3.9',
  round: 'M16.8 9A7 7 0 0 0 4.6 5.4L3 7M3 3.4V7h3.6M3.2 11a7 7 0 0 0 12.2 3.6L17 13m0 3.6V13h-3.6',
  audit: 'M5 3h10v14l-2.5-1.5L10 17l-2.5-1.5L5 17zM7.7 7h4.6M7.7 10.2h4.6',
  sun: 'M10 13.2a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4ZM10 2.5v1.6m0 11.8v1.6M2.5 10h1.6m11.8 0h1.6M4.7 4.7l1.1 1.1m8.4 8.4 1.1 1.1m0-10.6-1.1 1.1m-8.4 8.4-1.1 1.1',
  moon: 'M16.5 12A7 7 0 0 1 8 3.5a7 7 0 1 0 8.5 8.5Z',
  system: 'M3 4.2h14v9H3zM7.2 16.5h5.6M10 13.2v3.3',
  search: 'M9 14.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11Zm4-1.5 3.8 3.8',
  good: 'M10 17.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15Zm-3.3-7.2 2.3 2.3 4.3-4.8',
  bad: 'M10 17.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15ZM7.4 7.4l5.2 5.2m0-5.2-5.2 5.2',
  warn: 'M10 3 2.6 16.3h14.8zM10 8.2v3.6m0 2.3v.1',
  info: 'M10 17.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15Zm0-8v4.2m0-7.2v.1',
  lock: 'M4.8 9h10.4v7.5H4.8zM7 9V6.3a3 3 0 0 1 6 0V9',
  file: 'M5 2.8h6.5L15 6.3v10.9H5zM11.2 3v3.6h3.6',
  leave: 'M8 3.5H4v13h4M8.5 10H17m0 0-3-3m3 3-3 3',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, size = 18 }: { name: IconName; size?: number }): JSX.Element {
  return (
    <svg
      aria-hidden="true"
      focusable="false"
      width={size}
      height={size}
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.6"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d={paths[name]} />
    </svg>
  );
}

/** The mark of assets/icons/consilium.svg without its ground: hospitals around one table. */
export function Mark({ size = 30 }: { size?: number }): JSX.Element {
  return (
    <svg aria-hidden="true" focusable="false" width={size} height={size} viewBox="4 4 56 56">
      <circle cx="32" cy="32" r="12.5" fill="none" stroke="#6fd0da" strokeWidth="3.5" />
      <circle cx="32" cy="32" r="4" fill="#6fd0da" />
      <g fill="currentColor">
        <circle cx="32" cy="11.5" r="5.5" />
        <circle cx="52.5" cy="32" r="5.5" />
        <circle cx="32" cy="52.5" r="5.5" />
        <circle cx="11.5" cy="32" r="5.5" />
      </g>
    </svg>
  );
}
