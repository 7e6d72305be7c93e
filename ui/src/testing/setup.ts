import "@testing-library/jest-dom/vitest";
import { afterEach, beforeEach } from "vitest";
import { queryClient } from "../shared/query";
import { toasts } from "../shared/toasts.svelte";

// What jsdom lacks and the page uses.
class Observer {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
}
globalThis.ResizeObserver ??= Observer as unknown as typeof ResizeObserver;
globalThis.IntersectionObserver ??= Observer as unknown as typeof IntersectionObserver;
Element.prototype.scrollIntoView ??= () => {};
Element.prototype.scrollTo ??= () => {};
Element.prototype.hasPointerCapture ??= () => false;
Element.prototype.animate ??= (() => ({
  cancel() {},
  finished: Promise.resolve(),
})) as unknown as typeof Element.prototype.animate;
window.matchMedia ??= ((query: string) => ({
  matches: false,
  media: query,
  addEventListener() {},
  removeEventListener() {},
})) as unknown as typeof window.matchMedia;

// jsdom lays nothing out; lists need a window of some size to show rows in.
for (const [name, size] of [
  ["offsetHeight", 600],
  ["offsetWidth", 800],
  ["clientHeight", 600],
  ["clientWidth", 800],
] as const) {
  Object.defineProperty(HTMLElement.prototype, name, { configurable: true, get: () => size });
}

beforeEach(() => {
  localStorage.clear();
  location.hash = "";
});

afterEach(() => {
  queryClient.clear();
  toasts.reset();
});
