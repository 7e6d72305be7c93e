import { render, screen, waitFor, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { jobs } from "../features/host/jobs.svelte";
import { connect } from "../platform/platform";
import { FakePlatform } from "../testing/fake";
import { show } from "../testing/page";
import Performance from "./Performance.svelte";

describe("performance", () => {
  it("shows the percentiles of the chosen window", async () => {
    const user = userEvent.setup();
    show(Performance, {});
    const row = async (): Promise<HTMLElement> => (await screen.findByRole("button", { name: "Retrieve" })).closest("tr")!;
    expect(await row()).toHaveTextContent(/168/);
    await user.click(screen.getByRole("radio", { name: "1 min" }));
    await waitFor(async () => expect(await row()).toHaveTextContent(/42/));
  });

  it("asks for pictures of the chosen operation", async () => {
    const user = userEvent.setup();
    const fake = show(Performance, {});
    await user.click(await screen.findByRole("button", { name: "Store" }));
    await waitFor(() =>
      expect(fake.requests("chart").some((r) => r.kind === "latency" && r.operation === "store")).toBe(true),
    );
    expect(screen.getByRole("heading", { name: /Latency of store/ })).toBeVisible();
  });

  it("lists slow operations with their parts, slowest first", async () => {
    show(Performance, {});
    const table = within(await screen.findByRole("region", { name: "Slowest recent operations" })).getByRole("table");
    const rows = within(table).getAllByRole("row").slice(1);
    expect(rows[0]).toHaveTextContent(/Import.*3\.12 s.*read 210 ms, embed 2\.60 s/);
    expect(rows[1]).toHaveTextContent(/Retrieve.*1\.24 s/);
  });

  it("says by how much the memory grew in a slow operation, where that is known", async () => {
    show(Performance, {});
    const table = within(await screen.findByRole("region", { name: "Slowest recent operations" })).getByRole("table");
    expect(within(table).getByRole("cell", { name: "+34.0 MB" })).toBeVisible();
    expect(within(table).getByRole("row", { name: /Retrieve 1\.24 s –/ })).toBeVisible();
  });

  it("lists requests by endpoint, tool and command, the most frequent first", async () => {
    show(Performance, {});
    const region = within(await screen.findByRole("region", { name: "Requests of the last hour" }));
    const rows = within(await region.findByRole("table")).getAllByRole("row").slice(1);
    expect(rows[0]).toHaveTextContent(/HTTP.*POST \/api\/v1\/contexts\/search.*1,890.*31\.5.*10\.8 ms.*5\.64 ms.*22\.6 ms.*56\.4 ms/);
    expect(rows[1]).toHaveTextContent(/Command.*stats.*744/);
    expect(rows[2]).toHaveTextContent(/Agent.*memory_search.*42/);
  });

  it("says why the requests cannot be read, and reads them again", async () => {
    const user = userEvent.setup();
    const fake = new FakePlatform();
    fake.answers.requests = () => {
      throw { code: "internal", message: "the tally is gone" };
    };
    connect(fake);
    render(Performance);
    const region = within(await screen.findByRole("region", { name: "Requests of the last hour" }));
    expect(await region.findByText(/tally is gone/)).toBeVisible();
    delete fake.answers.requests;
    await user.click(region.getByRole("button", { name: /again/i }));
    expect(await region.findByRole("table")).toBeVisible();
  });

  it("lists slow statements with their plans, slowest first", async () => {
    show(Performance, {});
    const region = within(await screen.findByRole("region", { name: "Slow statements of the database" }));
    const rows = within(region.getByRole("table")).getAllByRole("row").slice(1);
    expect(rows[0]).toHaveTextContent(/Commit.*2\.21 s.*COMMIT/);
    expect(rows[1]).toHaveTextContent(/Retrieve.*1\.34 s.*SELECT c\.seq FROM contexts.*SCAN c\s+USE TEMP B-TREE/);
  });

  it("says so where nobody asked and no statement was slow", async () => {
    show(Performance, {}, { contexts: 0 });
    expect(await screen.findByText("Nobody has asked for anything in the last hour.")).toBeVisible();
    expect(screen.getByText("No statement took longer than 1.00 s.")).toBeVisible();
  });

  it("exports figures through the host, which asks for the file", async () => {
    const user = userEvent.setup();
    const fake = show(Performance, {});
    await user.click(await screen.findByRole("button", { name: "Export CSV" }));
    await waitFor(() => expect(fake.requests("save_file")[0]).toMatchObject({ suggested: "hirag-performance.csv" }));
  });

  it("shows the parts of the database, and memory where nothing ran", async () => {
    show(Performance, {}, { contexts: 0 });
    expect(await screen.findByText("Nothing ran in this window")).toBeVisible();
    const resources = within(await screen.findByRole("region", { name: "Caches, memory and disk" }));
    expect(await resources.findByText(/Write-ahead log 400 KB/)).toBeVisible();
    expect(await resources.findByText(/^Vectors 1\.5 MB/)).toBeVisible();
    expect(resources.getByText(/^Word index 600 KB/)).toBeVisible();
    expect(screen.getByRole("heading", { name: /^Memory/ })).toBeVisible();
  });

  it("shows a chart as figures", async () => {
    const user = userEvent.setup();
    show(Performance, {});
    await user.click(await screen.findByRole("button", { name: "Latency of retrieve as figures" }));
    const table = await screen.findByRole("table", { name: "Latency of retrieve" });
    expect(within(table).getByRole("columnheader", { name: "p95" })).toBeVisible();
    expect(within(table).getAllByRole("cell", { name: / ms$/ }).length).toBeGreaterThan(6);
  });

  it("says what to do when nothing was measured", async () => {
    const user = userEvent.setup();
    const fake = show(Performance, {}, { contexts: 0 });
    await user.click(await screen.findByRole("radio", { name: "Since start" }));
    expect(await screen.findByText("Nothing has been measured yet")).toBeVisible();
    expect(fake.requests("performance").at(-1)).toEqual({ window: "all" });
  });
});

describe("a load run", () => {
  it("starts as the form says, shows its progress, and then percentiles and errors by kind", async () => {
    const user = userEvent.setup();
    const fake = show(Performance, {});
    const stop = jobs.follow();
    const clients = await screen.findByRole("spinbutton", { name: "Clients at once" });
    await user.clear(clients);
    expect(screen.getByRole("button", { name: "Start the run" })).toBeDisabled();
    await user.type(clients, "200");
    await user.click(screen.getByRole("checkbox", { name: "Store" }));
    await user.click(screen.getByRole("button", { name: "Start the run" }));
    await waitFor(() => expect(fake.requests("load_start")).toHaveLength(1));
    expect(fake.requests("load_start")[0]).toMatchObject({
      concurrency: 200,
      duration_s: 30,
      rate: null,
      mix: [{ operation: "search", weight: 1 }, { operation: "store", weight: 1 }],
    });
    expect(await screen.findByRole("heading", { name: "Load run is running" })).toBeVisible();
    fake.report({ id: "job-1", state: "done", result: {} });
    const result = within(await screen.findByRole("region", { name: "Result of the load run" }));
    expect(result.getByRole("row", { name: /^Search 53,000 .* 7\.90 ms 19\.6 ms 41\.3 ms/ })).toBeVisible();
    expect(result.getByRole("row", { name: /^Status 503 7/ })).toBeVisible();
    await user.click(result.getByRole("button", { name: "Save report" }));
    await waitFor(() => expect(fake.requests("save_file")[0]).toMatchObject({ suggested: "hirag-load.html" }));
    stop();
  });
});
