import { fileURLToPath } from "node:url";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { build, type Plugin } from "vite";
import { plainIcons } from "./icons.ts";

const entry = fileURLToPath(new URL("./src/views/coming.ts", import.meta.url));
const place = /<p class="coming muted">[^<]*<\/p>/;

/** The frame of the program as its own components write it down, for the browser to show before it has read any code. */
async function frame(): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: "warn",
    plugins: [plainIcons(), svelte({ configFile: false })],
    ssr: { noExternal: true },
    build: { ssr: entry, write: false, minify: false },
  });
  const chunk = [built].flat().flatMap((one) => ("output" in one ? one.output : []))[0];
  if (chunk?.type !== "chunk") throw new Error("the frame of the page was not built");
  const code = Buffer.from(chunk.code).toString("base64");
  const { frame } = (await import(`data:text/javascript;base64,${code}`)) as { frame: string };
  // What Svelte needs to go on with markup, and nothing here does.
  return frame.replace(/<!--.*?-->/gs, "");
}

/** Puts the frame into the page when it is built. */
export function frameFirst(): Plugin {
  return {
    name: "frame-first",
    apply: "build",
    transformIndexHtml: async (html) => {
      if (!place.test(html)) throw new Error("index.html has no place for the frame");
      const markup = await frame();
      return html.replace(place, () => markup);
    },
  };
}
