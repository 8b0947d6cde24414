// What the desktop may show of Consilium while nobody looks at it: one of a few fixed sentences. A notification stands on lock screens
// and in the system's history, so no text of a study, a site or a patient can come into one (security.md X14).
import type { NotificationConstructorOptions } from 'electron';
import { BugError } from '#base/coded-error.ts';
import type { ShellTexts } from './shell-texts.ts';

export const notices = ['update-waits', 'training-failed', 'site-restarted'] as const;
export type Notice = (typeof notices)[number];

export function isNotice(value: unknown): value is Notice {
  return notices.some((notice) => notice === value);
}

export interface NoticeDesk {
  /** @throws BugError for anything but a name of the list. */
  show(notice: Notice): void;
}

/** A notification as it is used here. */
export interface ShownNotification {
  on(event: 'click', listener: () => void): unknown;
  show(): void;
}

export interface NoticeSettings {
  readonly texts: ShellTexts;
  /** `new Notification(options)`, where the system has notifications. */
  readonly create: (options: NotificationConstructorOptions) => ShownNotification;
  /** A click brings the window to the front and nothing else. */
  readonly onClick: () => void;
}

export function createNoticeDesk({ texts, create, onClick }: NoticeSettings): NoticeDesk {
  return {
    show: (notice) => {
      // The site's process names it: a name from elsewhere must not become a text.
      if (!isNotice(notice)) throw new BugError('there is no such notice');
      const notification = create({ title: 'Consilium', body: texts[`notice.${notice}`], silent: true });
      notification.on('click', onClick);
      notification.show();
    },
  };
}
