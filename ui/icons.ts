import type { Plugin } from "vite";

type Node = [tag: string, attributes: Record<string, string>];

const markup = (nodes: readonly Node[]): string =>
  nodes.map(([tag, all]) => `<${tag}${Object.entries(all).map(([name, value]) => ` ${name}="${value}"`).join("")} />`).join("");

/** Lucide's icons with their shapes as markup: put together while they are shown, they are the dearest part of a row. */
export function plainIcons(): Plugin {
  return {
    name: "plain-icons",
    enforce: "pre",
    transform(code, id) {
      if (!/@lucide\/svelte\/dist\/icons\/[a-z0-9-]+\.svelte$/.test(id)) return null;
      const data = /const iconData = (\{.*\});/.exec(code)?.[1];
      if (!data) throw new Error(`${id} has another form than the icons of Lucide had`);
      const { name, node } = JSON.parse(data) as { name: string; node: Node[] };
      return {
        code: `<script>let { size = 24 } = $props();</script>
<svg class="lucide lucide-${name}" xmlns="http://www.w3.org/2000/svg" width={size} height={size} viewBox="0 0 24 24" fill="none"
  stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">${markup(node)}</svg>`,
        map: null,
      };
    },
  };
}
