// The four hospitals: their raw files, how they number patients, and what people are called there.

export interface Hospital {
  readonly siteId: 'cleveland' | 'hungary' | 'switzerland' | 'long-beach';
  readonly rawFile: string;
  /** Column `hospital` of the split. */
  readonly splitName: string;
  /** Who gives its patient numbers. */
  readonly authority: string;
  readonly numberPrefix: string;
  readonly maleNames: readonly [string, ...string[]];
  readonly femaleNames: readonly [string, ...string[]];
  readonly familyNames: readonly [string, ...string[]];
}

export const hospitals: readonly Hospital[] = [
  {
    siteId: 'cleveland',
    rawFile: 'processed.cleveland.data',
    splitName: 'cleveland',
    authority: 'https://cleveland.example/patient-number',
    numberPrefix: 'CLE-',
    maleNames: ['James', 'Robert', 'Walter', 'Eugene', 'Harold', 'Leroy', 'Raymond', 'Stanley', 'Clarence', 'Vernon'],
    femaleNames: ['Dorothy', 'Mildred', 'Ruth', 'Eleanor', 'Marjorie', 'Betty', 'Lorraine', 'Phyllis', 'Thelma', 'Irene'],
    familyNames: ["O'Malley", 'Novak', 'Kowalski', 'Miller', 'Washington', 'Horvath', 'Schmidt', 'Jackson', 'Petrov', 'Romano'],
  },
  {
    siteId: 'hungary',
    rawFile: 'processed.hungarian.data',
    splitName: 'hungarian',
    authority: 'https://budapest.example/torzsszam',
    numberPrefix: 'BUD-',
    maleNames: ['László', 'István', 'József', 'Sándor', 'Ferenc', 'Gábor', 'Zoltán', 'Béla', 'Géza', 'Tibor'],
    femaleNames: ['Mária', 'Erzsébet', 'Katalin', 'Ilona', 'Éva', 'Margit', 'Zsuzsanna', 'Judit', 'Ágnes', 'Piroska'],
    familyNames: ['Szabó', 'Kovács', 'Tóth', 'Horváth', 'Nagy', 'Kőszegi', 'Molnár', 'Fűzesi', 'Lakatos', 'Győri'],
  },
  {
    siteId: 'switzerland',
    rawFile: 'processed.switzerland.data',
    splitName: 'switzerland',
    authority: 'urn:consilium:omop:person_source_value',
    numberPrefix: 'ZRH-',
    maleNames: ['Urs', 'Beat', 'Hansruedi', 'Reto', 'Jürg', 'Köbi', 'Walter', 'Luca', 'Etienne', 'Gion'],
    femaleNames: ['Vreni', 'Heidi', 'Ursina', 'Regula', 'Käthi', 'Rösli', 'Madeleine', 'Chiara', 'Lisbeth', 'Annemarie'],
    familyNames: ['Müller', 'Bänziger', 'Aebischer', 'Rüegg', 'Zürcher', 'Favre', 'Bianchi', 'Caduff', 'Gerber', 'Stähli'],
  },
  {
    siteId: 'long-beach',
    rawFile: 'processed.va.data',
    splitName: 'va',
    authority: 'https://long-beach.example/patient-number',
    numberPrefix: 'LBV-',
    maleNames: ['Carlos', 'Earl', 'Thomas', 'Manuel', 'Willie', 'Frank', 'Nguyen', 'Alfred', 'Ernesto', 'Douglas'],
    femaleNames: ['Gloria', 'Norma', 'Consuelo', 'Wanda', 'Shirley', 'Carmen', 'Rosa', 'Beverly', 'Juanita', 'Linh'],
    familyNames: ['García', 'Thompson', 'Reyes', 'Johnson', 'Tran', 'Hernández', 'Brown', 'Davis', 'Muñoz', 'Wright'],
  },
];
