// How complete each value is that a research study reads, and how it is distributed: bars with their numbers beside them.
import type { JSX } from 'react';
import type { QualityFeature } from '#ipc/quality-schema.ts';
import { shownCount } from '#ipc/quality-words.ts';
import type { QualityPageWords } from '#ipc/quality-words-english.ts';
import styles from '../screens/screens.module.css';
import { Panel, PlainText, SmallTable } from './parts.tsx';
import bars from './quality-features.module.css';

interface FeaturesProps {
  readonly features: readonly QualityFeature[];
  readonly page: QualityPageWords;
}

export function QualityFeatures({ features, page }: FeaturesProps): JSX.Element {
  const drawn = features.filter(({ histogram }) => histogram !== null);
  return (
    <>
      <Panel title={page.completeness}>
        <SmallTable
          label={page.completeness}
          rows={features}
          maxHeight={420}
          columns={[
            { header: page.name, render: (row) => <PlainText limit={80}>{row.name}</PlainText> },
            { header: page.completeness, render: (row) => <Share feature={row} page={page} /> },
            { header: page.present, isNumber: true, render: (row) => shownCount(row.presentCount, page) },
            { header: page.missing, isNumber: true, render: (row) => shownCount(row.missingCount, page) },
            {
              header: page.unitNotConvertible,
              isNumber: true,
              render: (row) => shownCount(row.unitNotConvertibleCount, page),
            },
            { header: page.flagged, isNumber: true, render: (row) => shownCount(row.flaggedCount, page) },
          ]}
        />
      </Panel>
      {drawn.length > 0 && (
        <Panel title={page.distributions}>
          <div className={bars.grid}>
            {drawn.map((feature) => (
              <Distribution key={feature.name} feature={feature} page={page} />
            ))}
          </div>
        </Panel>
      )}
    </>
  );
}

/** Of all that could have the value. Nothing is drawn of counts that are withheld. */
function Share({ feature, page }: { feature: QualityFeature; page: QualityPageWords }): JSX.Element {
  const { presentCount, missingCount, unitNotConvertibleCount } = feature;
  if (presentCount === null || missingCount === null || unitNotConvertibleCount === null)
    return <span className={styles.soft}>{page.withheld}</span>;
  const total = presentCount + missingCount + unitNotConvertibleCount;
  // Rounded down: 100 % says that nobody lacks the value.
  const percent = total === 0 ? 0 : Math.floor((100 * presentCount) / total);
  return (
    <span className={bars.share}>
      <span className={bars.track} aria-hidden="true">
        <span className={bars.fill} style={{ inlineSize: `${percent}%` }} />
      </span>
      {percent} %
    </span>
  );
}

function Distribution({ feature, page }: { feature: QualityFeature; page: QualityPageWords }): JSX.Element {
  const { name, unit } = feature;
  const bins = feature.histogram ?? [];
  const largest = Math.max(1, ...bins.map(({ subjectCount }) => subjectCount));
  const caption = page.distribution.replace('{name}', () => (unit === null ? name : `${name} (${unit})`));
  return (
    <figure className={bars.figure}>
      <figcaption>
        <PlainText limit={120}>{caption}</PlainText>
      </figcaption>
      <ol className={bars.bins} aria-label={caption}>
        {bins.map(({ from, until, subjectCount }) => (
          <li key={`${from} ${until}`}>
            <span className={bars.range}>{rangeText(from, until)}</span>
            <span className={bars.track} aria-hidden="true">
              <span className={bars.fill} style={{ inlineSize: `${(100 * subjectCount) / largest}%` }} />
            </span>
            <span className={bars.count}>{subjectCount}</span>
          </li>
        ))}
      </ol>
    </figure>
  );
}

function rangeText(from: number | null, until: number | null): string {
  if (from === null) return `< ${until}`;
  return until === null ? `≥ ${from}` : `${from}–${until}`;
}
