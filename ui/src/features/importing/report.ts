// The result of an import job: it comes as JSON, and is shown only as far as it is understood.
import type { ImportReport } from "$bindings/ImportReport";
import { sentence, words } from "../../shared/format";

export function asReport(result: unknown): ImportReport | null {
  if (typeof result !== "object" || result === null) return null;
  const report = result as Partial<ImportReport>;
  if (typeof report.contexts !== "number" || !Array.isArray(report.skipped)) return null;
  return result as ImportReport;
}

const shortReasons: Partial<Record<string, string>> = {
  binary: "It is a binary file, which holds no text.",
  empty: "It is empty.",
};

/** Why a file was passed over, as a sentence. */
export function whySkipped(reason: string): string {
  return shortReasons[reason] ?? sentence(words(reason));
}
