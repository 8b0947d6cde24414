// The words of the data-quality report in German; the keys are those of the English ones (held by a test).
import type { FindingWords, QualityPageWords } from '#ipc/quality-words-english.ts';

export const germanFindings: Readonly<Record<string, FindingWords>> = {
  'code-not-found': {
    title: 'Ein Code, den niemand hat',
    means: 'Der Plan liest diesen Code, und kein Patient mit Einwilligung hat einen Eintrag dazu.',
    fix: 'Die Zuordnung des Imports prüfen: Das Haus verwendet vielleicht einen anderen Code, oder der Export lässt ihn aus.',
  },
  'code-near-miss': {
    title: 'Beinahe der Code des Plans',
    means:
      'Einträge tragen einen Code, der dem des Plans gleicht, in einem anderen System oder anderer Schreibung. Der Plan liest sie nicht.',
    fix: 'Wenn er dasselbe meint, dem Code des Plans zuordnen und neu importieren.',
  },
  'code-missing-outside': {
    title: 'Nicht dabei, und ohne diesen Code',
    means:
      'Patienten mit Einwilligung sind nicht in diesem Bericht, weil sie kein Indexereignis haben, die Kriterien nicht erfüllen oder in keinem Teil sind, und haben keinen Eintrag dieses Codes. Bei manchen ist das der Grund.',
    fix: 'Gehören sie zur Forschungsstudie, den Export vervollständigen. Sonst ist nichts zu tun.',
  },
  'unit-not-convertible': {
    title: 'Eine Einheit, die sich nicht umrechnen lässt',
    means:
      'Werte haben keine Einheit oder eine, die sich nicht in die des Plans umrechnen lässt. Sie werden nicht verwendet.',
    fix: 'Die Einheit an der Quelle oder in der Zuordnung angeben und neu importieren. Nie umbenennen, ohne umzurechnen.',
  },
  'value-missing': {
    title: 'Fehlende Werte',
    means:
      'Patienten haben im Zeitfenster des Plans keinen brauchbaren Wert. Je nach Plan fallen sie weg oder erhalten einen Ersatz.',
    fix: 'Prüfen, ob der Export vollständig ist und ob der Tag des Werts im Zeitfenster liegt.',
  },
  'value-flagged': {
    title: 'Werte, die der Plan verdächtig nennt',
    means:
      'Werte sind genau die Zahl, die der Plan als verdächtig nennt, oft eine 0, die für „nicht gemessen“ steht.',
    fix: 'An der Quelle nachfragen. Bedeutet sie „nicht gemessen“, den Wert aus dem Export weglassen.',
  },
  'value-negative': {
    title: 'Negative unter positiven Werten',
    means:
      'Höchstens einer von zwanzig Werten liegt unter null: wohl ein vertipptes Vorzeichen oder ein Zeichen für „fehlt“.',
    fix: 'Die Werte an der Quelle nachsehen und dort berichtigen oder entfernen.',
  },
  'value-far-out': {
    title: 'Werte weit von allen anderen',
    means:
      'Werte liegen weiter vom Median als das Zehnfache der mittleren Abweichung (Median). Der Bereich ist angegeben.',
    fix: 'Nach einer falschen Einheit oder einem verrutschten Komma suchen. Ein echter Extremwert darf bleiben.',
  },
  'column-constant': {
    title: 'Derselbe Wert bei allen',
    means: 'Alle vorhandenen Werte sind gleich; das Modell kann hier nichts daraus lernen.',
    fix: 'Die Zuordnung prüfen: Vielleicht wurde ein Vorgabewert statt des echten geschrieben.',
  },
  'age-impossible': {
    title: 'Älter als 120 Jahre',
    means: 'Nach dem Geburtsdatum waren Patienten an ihrem Indextag älter als 120 Jahre.',
    fix: 'Das Geburtsdatum an der Quelle berichtigen. Der 1. Januar 1900 steht oft für „unbekannt“.',
  },
  'fact-duplicate': {
    title: 'Derselbe Eintrag zweimal',
    means:
      'Verschiedene Einträge sagen dasselbe über einen Patienten: Code, Zeit und Wert sind gleich. Jeder zählt.',
    fix: 'Prüfen, ob sich zwei Exporte überschneiden und ob ihre Einträge dieselben Kennungen tragen.',
  },
  'fact-before-birth': {
    title: 'Vor der Geburt',
    means: 'Einträge liegen vor der Geburt des Patienten.',
    fix: 'Geburtsdatum oder Tag des Eintrags berichtigen. Einträge der Mutter können beim Kind stehen.',
  },
  'fact-in-future': {
    title: 'In der Zukunft',
    means: 'Einträge liegen nach dem heutigen Tag: geplante, oder mit vertippter Jahreszahl.',
    fix: 'Geplantes aus dem Export weglassen, das Übrige berichtigen.',
  },
  'fact-after-death': {
    title: 'Nach dem Tod',
    means: 'Einträge liegen nach dem Tag eines verzeichneten Todes. Befunde der Pathologie dürfen das.',
    fix: 'Den Todestag prüfen, und ob zwei Patienten für einen gehalten wurden.',
  },
  'fact-ends-before-start': {
    title: 'Endet, bevor es beginnt',
    means: 'Das Ende von Einträgen liegt vor ihrem Beginn.',
    fix: 'Die zwei Daten sind wohl vertauscht: an der Quelle oder in der Zuordnung berichtigen.',
  },
  'image-geometry-missing': {
    title: 'Bilder ohne Ort',
    means: 'Nicht alle Bilder einer Serie nennen Lage und Richtung; ihre Ordnung im Raum ist unbekannt.',
    fix: 'Die Originalserie neu exportieren, keine abgeleiteten Aufnahmen (Secondary Capture).',
  },
  'image-orientation-mixed': {
    title: 'Mehrere Richtungen in einer Serie',
    means: 'Bilder einer Serie liegen in verschiedenen Ebenen, wie bei einem Localizer.',
    fix: 'Bei Localizern meist richtig; weglassen, wenn der Plan ein Volumen will.',
  },
  'image-size-mixed': {
    title: 'Mehrere Größen in einer Serie',
    means: 'Bilder einer Serie haben verschieden viele Zeilen oder Spalten.',
    fix: 'Prüfen, ob zwei Serien zu einer wurden.',
  },
  'image-spacing-mixed': {
    title: 'Mehrere Pixelabstände in einer Serie',
    means: 'Der Abstand der Pixel wechselt innerhalb einer Serie um mehr als ein Hundertstel.',
    fix: 'Prüfen, ob zwei Serien zu einer wurden, und das Original exportieren.',
  },
  'image-slices-missing': {
    title: 'Fehlende Schichten',
    means:
      'Zwischen Schichten einer Serie ist Platz für eine weitere: Sie wurde nicht geschickt oder nicht importiert.',
    fix: 'Mit dem Archiv vergleichen, die Quarantäne ansehen und die Serie neu importieren.',
  },
  'image-bits-mixed': {
    title: 'Mehrere Wertebereiche in einer Serie',
    means: 'Bilder einer Serie speichern ihre Werte mit verschieden vielen Bits.',
    fix: 'Die Originalserie neu exportieren: Einige wurden wohl umgewandelt.',
  },
  'image-rescale-missing': {
    title: 'Keine Skalierung angegeben',
    means:
      'CT- oder PET-Bilder nennen nicht, wie aus gespeicherten Werten Hounsfield-Einheiten oder Aktivität werden.',
    fix: 'Die Originalbilder exportieren: Sonst bedeuten die Zahlen an jedem Gerät etwas anderes.',
  },
  'segmentation-missing': {
    title: 'Keine Segmentierung',
    means: 'Der Plan lernt von einer Segmentierung, und Patienten haben Bilder, die niemand segmentiert hat.',
    fix: 'Die Segmentierungen importieren (DICOM SEG). Sie müssen die Bilder nennen, auf denen sie gezeichnet sind.',
  },
};

export const germanPage: QualityPageWords = {
  title: 'Datenqualität',
  summary: 'Was eine Forschungsstudie in diesem Haus lesen würde, und was zuerst zu berichtigen ist.',
  population: 'Patienten mit Indexereignis, Einwilligung und erfüllten Kriterien: {count}.',
  rule: 'Eine Zahl von 1 bis 4 wird zurückgehalten, ebenso eine, aus der sich eine solche berechnen ließe.',
  findings: 'Was zu tun ist',
  found: 'Wo es gefunden wurde',
  none: 'Es wurde nichts gefunden.',
  completeness: 'Vollständigkeit',
  distributions: 'Verteilungen',
  distribution: '{name}: Patienten nach Wert',
  codes: 'Codes und Einheiten',
  imaging: 'Bilder',
  withheld: 'zurückgehalten',
  problem: 'Fehler',
  warning: 'Warnung',
  note: 'Hinweis',
  severity: 'Schwere',
  about: 'Wo',
  patients: 'Patienten',
  records: 'Einträge',
  detail: 'Einzelheit',
  name: 'Name',
  unit: 'Einheit',
  present: 'Vorhanden',
  missing: 'Fehlend',
  unitNotConvertible: 'Einheit nicht umrechenbar',
  flagged: 'Verdächtig',
  constant: 'Bei allen gleich',
  yes: 'ja',
  code: 'Code',
  modality: 'Modalität',
  series: 'Serien',
  fix: 'Was zu tun ist: {fix}',
};
