// Types of the part of @lhncbc/ucum-lhc that is used; the package brings none.
declare module '@lhncbc/ucum-lhc' {
  export interface UnitValidation {
    readonly status: 'valid' | 'invalid' | 'error';
    readonly ucumCode: string | null;
    readonly unit?: { readonly code?: string | number } | null;
  }
  export interface UnitConversion {
    readonly status: 'succeeded' | 'failed' | 'error';
    readonly toVal: number | null;
  }
  export class UcumLhcUtils {
    static getInstance(): UcumLhcUtils;
    validateUnitString(unit: string): UnitValidation;
    convertUnitTo(fromUnit: string, value: number, toUnit: string): UnitConversion;
  }
}
