// Storing, looking at and changing contexts.
import type { ContextLevel } from "$bindings/ContextLevel";
import type { Context } from "$bindings/Context";
import type { Fate } from "$bindings/Fate";
import { contextOf, idOf, levelOf, start } from "../contexts";
import { iso, refused, type Handlers, type Scene } from "./scene";

type Answers = Pick<
  Handlers,
  "list" | "count" | "get" | "texts" | "details" | "uses" | "store" | "update" | "move_to" | "delete" | "undo" | "clear"
>;

function fateOf(context: Context): Fate[] {
  switch (context.level) {
    case "Immediate":
      return [{ sentence: "Moves to L2 when 100 newer contexts have come into L1.", at: null }];
    case "ShortTerm":
      return [
        { sentence: "Expires 30 days after it was stored, unless it is used.", at: context.expires_at },
        { sentence: `Moves to L3 after ${Math.max(1, 5 - context.access_count)} more uses.`, at: null },
      ];
    case "LongTerm":
      return [{ sentence: "Stays for good: L3 keeps for ever.", at: null }];
  }
}

export function contextAnswers({ memory }: Scene): Answers {
  const ofLevel = (level: ContextLevel) => ({ must: [{ key: "level", match: level }], should: [], must_not: [] });
  return {
    list: (request) => {
      const all = memory.list(request);
      const order = request.order ?? "newest_first";
      const [of, place] = (request.cursor ?? `${order}:0`).split(":");
      if (of !== order) throw refused("invalid_cursor", `\`${request.cursor}\` is not a page cursor of this order`);
      const from = Number(place) + (request.skip ?? 0);
      const next = from + (request.limit || 100);
      return {
        contexts: all.slice(from, next),
        next_cursor: next < all.length ? `${order}:${next}` : null,
        total: all.length,
      };
    },
    count: ({ filter }) => ({ count: memory.list({ filter }).length }),
    get: ({ id }) => memory.find(id),
    texts: ({ ids }) => ({ contexts: ids.map((id) => memory.find(id)) }),
    details: ({ id }) => {
      const context = memory.find(id);
      const ready = context.embedding === "ready";
      const near = [3, 9, 12, 17, 21].filter((i) => i < memory.size);
      return {
        context,
        vector: ready ? { model: "all-MiniLM-L6-v2", dimension: 384, norm: 1 } : null,
        pending: !ready,
        neighbours: near.map((i, n) => ({ id: idOf(i), level: levelOf(i), score: 0.81 - n * 0.06, text: contextOf(i).text })),
        session_neighbours: { before: idOf(2), after: idOf(1) },
        fate: fateOf(context),
        link_targets: [],
      };
    },
    uses: ({ id, limit }) => ({
      looked_at: 200,
      uses: memory.find(id).access_count === 0
        ? []
        : ["Why did the migration of billing fail?", "zero vector", "Who is away this week?"]
            .map((query, i) => ({
              trace_id: `01935000-0000-7000-8000-${String(i + 1).padStart(12, "0")}`,
              time: iso(start - (i + 1) * 7_300_000),
              query,
              rank: i * 2 + 1,
              score: 0.72 - i * 0.11,
            }))
            .slice(0, limit),
    }),

    store: (request) => {
      const { id, level, token_count } = memory.add(request);
      return { id, level, token_count, embedding: "ready", pending_because: null };
    },
    update: ({ id, patch }) => memory.change(id, { ...patch, updated_at: iso(start) } as Partial<Context>),
    move_to: ({ ids, level }) => {
      for (const id of ids) memory.change(id, { level });
      return { moved: ids.length };
    },
    delete: ({ ids }) => ({ operation: 1, ids, per_level: memory.remove(ids) }),
    undo: ({ ids = null }) => ({ ids: memory.bringBack(ids), superseded: [] }),
    clear: ({ level }) => {
      const ids = memory.list({ filter: ofLevel(level) }).map((c) => c.id);
      return { operation: 2, ids, per_level: memory.remove(ids) };
    },
  };
}
