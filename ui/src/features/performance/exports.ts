// Pictures and figures as files.
import { asFailure, call } from "../../platform/platform";
import { saveBytes, saveText } from "../../shared/copy";
import { toasts } from "../../shared/toasts.svelte";

/** Draws an SVG into a PNG of twice its size. */
export async function asPng(svg: string, background: string): Promise<string> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth * 2;
  canvas.height = image.naturalHeight * 2;
  const context = canvas.getContext("2d");
  if (!context) throw new Error("the picture cannot be drawn here; export it as SVG");
  context.fillStyle = background;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/png").replace(/^data:image\/png;base64,/, "");
}

async function told(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (thrown) {
    toasts.show("failed", asFailure(thrown).message);
  }
}

export const exportSvg = (name: string, svg: string): Promise<void> => saveText(`${name}.svg`, svg);

export const exportPng = (name: string, svg: string): Promise<void> =>
  told(async () => {
    const background = getComputedStyle(document.documentElement).getPropertyValue("--bg-raised").trim();
    await saveBytes(`${name}.png`, await asPng(svg, background || "#ffffff"));
  });

export const exportCsv = (minutes: number): Promise<void> =>
  told(async () => saveText("hirag-performance.csv", (await call("performance_csv", { minutes })).csv));

export const exportReport = (minutes: number): Promise<void> =>
  told(async () => saveText("hirag-performance.html", (await call("performance_report", { minutes })).html));

export const exportLoad = (job: string): Promise<void> =>
  told(async () => saveText("hirag-load.html", (await call("load_page", { job })).html));
