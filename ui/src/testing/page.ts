// How tests show a part of the page on a scripted host.
import { render } from "@testing-library/svelte";
import type { Component, ComponentProps } from "svelte";
import { connect } from "../platform/platform";
import { FakePlatform, type FakeOptions } from "./fake";

/** Connects a scripted host and shows a component on it. */
export function show<C extends Component<any>>(
  component: C,
  props: ComponentProps<C>,
  options: FakeOptions = {},
): FakePlatform {
  const fake = new FakePlatform(options);
  connect(fake);
  render(component as Component, { props: props as Record<string, unknown> });
  return fake;
}
