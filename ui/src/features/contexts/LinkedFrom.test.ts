import { screen, waitFor } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { outdated, queryClient } from "../../shared/query";
import { contextOf } from "../../testing/contexts";
import { show } from "../../testing/page";
import LinkedFrom from "./LinkedFrom.svelte";

beforeEach(() => queryClient.clear());

describe("what links to a note", () => {
  const note = { ...contextOf(0), source: "/vault/Plan.md", metadata: { file: "Plan.md", title: "Plan" } };

  it("is shown and opened", async () => {
    const user = userEvent.setup();
    const opened = vi.fn();
    const fake = show(LinkedFrom, { context: note, targets: ["plan", "Plan#Day 1"], onopen: opened });
    await waitFor(() => expect(fake.requests("list")).toHaveLength(1));
    const link = await fake.call("store", { text: "See [[Plan#Day 1]] for the way.", metadata: { links: ["Plan#Day 1"] } });
    outdated("list");
    await user.click(await screen.findByRole("button", { name: /for the way/ }));
    expect(opened).toHaveBeenCalledWith(link.id);
    expect(fake.requests("list")[0]?.filter?.must).toEqual([{ key: "links", any: ["plan", "Plan#Day 1"] }]);
  });

  it("is not asked for where nothing links", async () => {
    const fake = show(LinkedFrom, { context: note, targets: [], onopen: () => undefined });
    await Promise.resolve();
    expect(fake.requests("list")).toEqual([]);
    expect(screen.queryByText("Linked from")).toBeNull();
  });
});
