// Fails when the built page is larger than its budget: everything in dist/, gzipped.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const budget = 300 * 1024;
const folder = new URL("../dist/", import.meta.url).pathname;

function files(at) {
  return readdirSync(at).flatMap((name) => {
    const path = join(at, name);
    return statSync(path).isDirectory() ? files(path) : [path];
  });
}

let total = 0;
for (const path of files(folder)) {
  const bytes = gzipSync(readFileSync(path), { level: 9 }).length;
  total += bytes;
  console.log(`${(bytes / 1024).toFixed(1).padStart(8)} KB  ${path.slice(folder.length)}`);
}
console.log(`${(total / 1024).toFixed(1).padStart(8)} KB  in all, gzipped (at most ${budget / 1024} KB)`);
if (total > budget) {
  console.error("The page is over its budget: load less, or load it later.");
  process.exit(1);
}
