// Settings by their dotted keys.
import type { Config } from "$bindings/Config";
import type { SettingChange } from "../../platform/types";

/** What a setting can be. */
export type SettingValue = SettingChange["value"];

export function valueAt(config: Config, key: string): SettingValue {
  let at: unknown = config;
  for (const part of key.split(".")) {
    if (typeof at !== "object" || at === null) return null;
    at = (at as Record<string, unknown>)[part];
  }
  return (at ?? null) as SettingValue;
}

/** A value for people: "on", "30s", "empty". */
export function written(value: SettingValue): string {
  if (typeof value === "boolean") return value ? "on" : "off";
  if (value === "" || value === null) return "empty";
  return String(value);
}
