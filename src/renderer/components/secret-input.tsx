// Where a person types the secret: never filled in by the browser unless asked, with a way to look at it by keyboard too.
import { PasswordInput, type PasswordInputProps } from '@mantine/core';
import type { JSX } from 'react';
import { useTranslation } from 'react-i18next';

export type SecretInputProps = Omit<
  PasswordInputProps,
  'value' | 'onChange' | 'maxLength' | 'visibilityToggleButtonProps'
> & {
  readonly value: string;
  readonly onChange: (secret: string) => void;
};

export function SecretInput({ onChange, ...props }: SecretInputProps): JSX.Element {
  const { t } = useTranslation();
  return (
    <PasswordInput
      autoComplete="off"
      {...props}
      maxLength={1000}
      onChange={(event) => onChange(event.currentTarget.value)}
      visibilityToggleButtonProps={{
        'aria-label': t('signIn.showSecret'),
        tabIndex: 0,
        'aria-hidden': false,
      }}
    />
  );
}
