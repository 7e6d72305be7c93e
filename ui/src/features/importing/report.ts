// The result of an import job: it comes as JSON, and is shown only as far as it is understood.
import type { ImportReport } from "$bindings/ImportReport";

export function asReport(result: unknown): ImportReport | null {
  if (typeof result !== "object" || result === null) return null;
  const report = result as Partial<ImportReport>;
  if (typeof report.contexts !== "number" || !Array.isArray(report.skipped)) return null;
  return result as ImportReport;
}
