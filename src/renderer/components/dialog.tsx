// A dialog with a title, a named way out and its focus kept inside. Its head is no page banner, as Mantine's would be.
import { Modal } from '@mantine/core';
import { type JSX, type ReactNode, useRef } from 'react';
import { useTranslation } from 'react-i18next';

export function Dialog(props: {
  isOpen: boolean;
  onClose: () => void;
  title: string;
  size?: 'lg' | 'xl';
  children: ReactNode;
}): JSX.Element {
  const { t } = useTranslation();
  return (
    <Modal.Root opened={props.isOpen} onClose={props.onClose} size={props.size ?? 'lg'} centered>
      <Modal.Overlay backgroundOpacity={0.5} />
      <Modal.Content radius="md">
        <Modal.Header role="presentation">
          <Modal.Title fz="lg" fw={650}>
            {props.title}
          </Modal.Title>
          <Modal.CloseButton aria-label={t('common.close')} />
        </Modal.Header>
        <Modal.Body>{props.children}</Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}

/** What a dialog is about: the last one while it fades out. null before the first. */
export function useLastShown<T>(now: T | null): T | null {
  const last = useRef(now);
  if (now !== null) last.current = now;
  return last.current;
}
