// The result of an import job: it comes as JSON, and is shown only as far as it is understood.
import type { ImportReport } from "$bindings/ImportReport";
import type { JsonValue } from "$bindings/serde_json/JsonValue";

export function asReport(result: JsonValue | null): ImportReport | null {
  if (typeof result !== "object" || result === null || Array.isArray(result)) return null;
  if (typeof result.contexts !== "number" || !Array.isArray(result.skipped)) return null;
  return result as unknown as ImportReport;
}
