// Metadata as rows that people edit, and back.
import type { JsonValue } from "$bindings/serde_json/JsonValue";

export type MetadataRow = { key: string; value: string };

export function toRows(metadata: { [key in string]?: JsonValue }): MetadataRow[] {
  return Object.entries(metadata).map(([key, value]) => ({
    key,
    value: typeof value === "string" && parse(value) === value ? value : JSON.stringify(value),
  }));
}

/** A value as JSON where it is JSON, else as text: 3 is a number, "3" is text, so is three. */
function parse(value: string): JsonValue {
  try {
    return JSON.parse(value) as JsonValue;
  } catch {
    return value;
  }
}

export type ReadMetadata =
  | { ok: true; metadata: { [key: string]: JsonValue } }
  | { ok: false; problem: string };

export function fromRows(rows: readonly MetadataRow[]): ReadMetadata {
  const metadata: { [key: string]: JsonValue } = {};
  for (const { key, value } of rows) {
    const name = key.trim();
    if (!name && !value.trim()) continue;
    if (!name) return { ok: false, problem: `The value ${value} has no key.` };
    if (Object.hasOwn(metadata, name)) return { ok: false, problem: `The key ${name} is there twice.` };
    metadata[name] = parse(value);
  }
  return { ok: true, metadata };
}
