// Names that nothing else has.

/** 32 hexadecimal digits by chance. `randomUUID` is missing where a page comes over plain HTTP. */
export function newName(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
