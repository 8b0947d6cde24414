// Clean Descriptors (113105): of a description only words stay that name a body part, a direction or a technique. Numbers go.
import { asciiText } from './element-text.ts';

const words = new Set(
  `abdomen adc angio ankle aorta arm arterial ax axial b0 brain breast cardiac carotid cerebral cervical chest contrast cor coronal
  coronary ct cta delayed diffusion dixon dti dwi dynamic elbow epi fat femur finger flair fmri foot fs gre hand head heart hip
  humerus in iv kidney knee late left leg liver localizer localiser lower lumbar lung mammo mammogram mip mpr mpr mprage mr mra mri mrs
  native neck oblique opposed orbit out pancreas pelvis perfusion pet phase plain portal post pre prostate pwi recon rib right sag
  sagittal scout se shoulder sinus skull soft spine spleen stir swi t1 t1w t2 t2w t2star thoracic thorax throat tibia tissue tof topogram
  toe tra trace tse upper us venous vertebra vibe view with without wo wrist xray`.split(/\s+/),
);

/** The known words of a description, in capitals and in order; undefined where none is known. */
export function keepKnownWords(bytes: Uint8Array): string | undefined {
  const kept = asciiText(bytes)
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => words.has(word.toLowerCase()))
    .join(' ')
    .toUpperCase();
  return kept === '' ? undefined : kept.slice(0, 64).trimEnd();
}
