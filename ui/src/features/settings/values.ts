// Settings by their dotted keys.
import type { Config } from "$bindings/Config";
import type { JsonValue } from "$bindings/serde_json/JsonValue";

export function valueAt(config: Config, key: string): JsonValue {
  let at: unknown = config;
  for (const part of key.split(".")) {
    if (typeof at !== "object" || at === null) return null;
    at = (at as Record<string, unknown>)[part];
  }
  return (at ?? null) as JsonValue;
}

/** A value for people: "on", "30s", "empty". */
export function written(value: JsonValue): string {
  if (typeof value === "boolean") return value ? "on" : "off";
  if (value === "" || value === null) return "empty";
  return String(value);
}
