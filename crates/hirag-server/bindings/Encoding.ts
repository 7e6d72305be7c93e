export type Encoding = "utf8" | "base64";
