import type { Encoding } from "./Encoding";
export type SaveRequest = { suggested: string, content: string, encoding: Encoding, };
