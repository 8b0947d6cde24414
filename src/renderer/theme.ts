// Mantine's theme on top of tokens.css: petrol as the one accent, quiet neutrals, AA contrast in both colour schemes.
import {
  Button,
  type CSSVariablesResolver,
  createTheme,
  defaultVariantColorsResolver,
  type MantineColorsTuple,
  NativeSelect,
  PasswordInput,
  Textarea,
  TextInput,
  type VariantColorsResolver,
} from '@mantine/core';

const petrol: MantineColorsTuple = [
  '#e8f5f6',
  '#d2e8ea',
  '#a6d2d6',
  '#78c5cd',
  '#5cc3cf',
  '#3d9ca6',
  '#2c8b95',
  '#0f6570',
  '#0b545e',
  '#07464f',
];
const crimson: MantineColorsTuple = [
  '#fdecec',
  '#f9d8d9',
  '#f1b0b3',
  '#ef9c9f',
  '#f39a9d',
  '#d9656b',
  '#c23d46',
  '#a3212b',
  '#8c1a23',
  '#73131b',
];
const dark: MantineColorsTuple = [
  '#e6edef',
  '#c3d0d4',
  '#a3b3b8',
  '#7c8f95',
  '#43545a',
  '#2b383d',
  '#1c262a',
  '#161e21',
  '#0f1517',
  '#0a0f11',
];

/** Filled parts take the scheme's own ink: Mantine picks it for the light shade only, which is too faint on the dark one. */
const variantColorResolver: VariantColorsResolver = (input) => {
  const colors = defaultVariantColorsResolver(input);
  if (input.variant === 'filled') return { ...colors, color: 'var(--on-fill)' };
  if (input.variant === 'subtle') return { ...colors, color: 'var(--accent-ink)' };
  return colors;
};

const spacedLabel = { mb: 3 };

export const theme = createTheme({
  primaryColor: 'petrol',
  primaryShade: { light: 7, dark: 4 },
  variantColorResolver,
  colors: { petrol, crimson, dark },
  black: '#142024',
  fontFamily: 'var(--font-text)',
  fontFamilyMonospace: 'var(--font-code)',
  fontSizes: { xs: '0.75rem', sm: '0.8125rem', md: '0.875rem', lg: '1rem', xl: '1.125rem' },
  defaultRadius: 'sm',
  radius: { xs: '3px', sm: '6px', md: '8px', lg: '10px', xl: '14px' },
  cursorType: 'pointer',
  focusRing: 'auto',
  respectReducedMotion: true,
  components: {
    Button: Button.extend({ defaultProps: { size: 'sm' } }),
    TextInput: TextInput.extend({ defaultProps: { size: 'sm', labelProps: spacedLabel } }),
    PasswordInput: PasswordInput.extend({ defaultProps: { size: 'sm', labelProps: spacedLabel } }),
    NativeSelect: NativeSelect.extend({ defaultProps: { size: 'sm', labelProps: spacedLabel } }),
    Textarea: Textarea.extend({ defaultProps: { size: 'sm', labelProps: spacedLabel } }),
  },
});

/** Lets Mantine's own parts follow tokens.css in both schemes. */
export const cssVariablesResolver: CSSVariablesResolver = () => ({
  variables: {
    '--mantine-color-body': 'var(--surface)',
    '--mantine-color-text': 'var(--ink)',
    '--mantine-color-dimmed': 'var(--ink-soft)',
    '--mantine-color-placeholder': 'var(--ink-soft)',
    '--mantine-color-error': 'var(--bad)',
    '--mantine-color-default-border': 'var(--line-strong)',
  },
  light: {},
  dark: {},
});
