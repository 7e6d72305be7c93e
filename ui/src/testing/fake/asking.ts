// Answers of the scripted host, and the conversations that come of them.
import type { Answer } from "$bindings/Answer";
import type { AskRequest } from "$bindings/AskRequest";
import type { Conversation } from "$bindings/Conversation";
import type { ConversationSummary } from "$bindings/ConversationSummary";
import type { Turn } from "$bindings/Turn";
import { start } from "../contexts";
import { iso, refused, type Handlers, type Scene } from "./scene";

type Answers = Pick<
  Handlers,
  | "ask"
  | "ask_start"
  | "ask_status"
  | "ask_stop"
  | "conversations"
  | "conversation"
  | "conversation_delete"
  | "conversation_restore"
  | "conversation_store"
  | "conversation_export"
  | "answer_judge"
  | "golden_queries"
>;

const budget = { window: 8192, answer: 1024, rules: 130, question: 14, history: 0, margin: 409, sources: 4000, used: 210 };

export function askAnswers(scene: Scene): Answers {
  const all = new Map<string, Conversation>();
  const stopped = new Set<string>();
  let made = 0;

  function answerTo(request: AskRequest): Answer {
    made += 1;
    const id = `018bcfe5-6800-7000-8000-${String(made).padStart(12, "0")}`;
    const contexts = [0, 1].filter((i) => i < scene.memory.size).map((i) => scene.memory.at(i));
    const pieces = (text: string) => [{ text, marked: false }];
    return {
      kind: contexts.length === 0 ? "nothing" : "extractive",
      text: contexts.map((context, i) => `${context.text} [${i + 1}]`).join("\n\n") || "Nothing in the memory is about this question.",
      passages: contexts.map((context, i) => ({ number: i + 1, pieces: pieces(context.text) })),
      sources: contexts.map((context, i) => ({
        number: i + 1,
        id: context.id,
        source: context.source,
        title: "Notes",
        section: null,
        session: context.session,
        level: context.level,
        score: 0.5,
        tokens: context.token_count,
        trimmed: false,
        cited: true,
        text: context.text,
      })),
      left_out: [],
      removed: [],
      marks: [],
      end: { how: "complete" },
      problem: null,
      model: null,
      cached: false,
      budget,
      trace_id: id,
      degraded: [],
      session: request.keep ? (request.session ?? id) : null,
      id: request.keep ? id : null,
      times: { found: 9, first: 9.4, waited: 0, total: 12 },
    };
  }

  function keep(request: AskRequest, answer: Answer): void {
    if (!answer.session || !answer.id) return;
    const turn: Turn = { id: answer.id, asked_at: iso(start), question: request.question, answer, feedback: null };
    const known = all.get(answer.session);
    if (known) {
      known.turns.push(turn);
      known.answers += 1;
      return;
    }
    const summary: ConversationSummary = {
      session: answer.session,
      title: request.question,
      answers: 1,
      created_at: iso(start),
      updated_at: iso(start),
      deleted_at: null,
    };
    all.set(answer.session, { ...summary, turns: [turn] });
  }

  function find(session: string, deleted = false): Conversation {
    const found = all.get(session);
    if (!found || (found.deleted_at !== null) !== deleted) {
      throw refused("unknown_conversation", `there is no conversation \`${session}\``);
    }
    return found;
  }

  return {
    ask: (request) => {
      const answer = answerTo(request);
      keep(request, answer);
      return answer;
    },
    ask_status: () => ({ running: false }),
    ask_start: ({ name, request }) => {
      const answer = answerTo(request);
      stopped.delete(name);
      queueMicrotask(() => {
        const { sources, left_out } = answer;
        scene.emit("answer", { name, event: "found", data: { sources, left_out, budget } });
        scene.emit("answer", { name, event: "begun", data: { kind: answer.kind, problem: null, cached: false } });
        if (stopped.has(name)) return;
        scene.emit("answer", { name, event: "text", data: answer.text });
        keep(request, answer);
        scene.emit("answer", { name, event: "done", data: answer });
      });
      return {};
    },
    ask_stop: ({ name }) => {
      stopped.add(name);
      return {};
    },
    conversations: ({ query, deleted }) => {
      const words = (query ?? "").toLowerCase().split(/\s+/).filter(Boolean);
      const has = ({ turns }: Conversation): boolean => {
        const text = turns.map((turn) => `${turn.question} ${turn.answer.text}`).join(" ").toLowerCase();
        return words.every((word) => text.includes(word));
      };
      const found = [...all.values()].filter((one) => (one.deleted_at !== null) === (deleted ?? false) && has(one));
      return { conversations: found.reverse().map(({ turns: _, ...summary }) => summary) };
    },
    conversation: ({ session }) => find(session),
    conversation_delete: ({ session }) => {
      find(session).deleted_at = iso(start);
      return {};
    },
    conversation_restore: ({ session }) => {
      find(session, true).deleted_at = null;
      return {};
    },
    conversation_store: ({ session }) => ({ contexts: find(session).turns.map((turn) => ({ id: turn.id, level: "ShortTerm", token_count: 12, embedding: "ready", pending_because: null })) }),
    conversation_export: ({ session, format }) => {
      const { title, turns } = find(session);
      const lines = turns.map((turn) => JSON.stringify(turn)).join("\n");
      return { text: format === "markdown" ? `# ${title}\n` : `${lines}\n` };
    },
    golden_queries: () => {
      const useful = [...all.values()].flatMap(({ turns }) => turns).filter((turn) => turn.feedback?.useful);
      if (useful.length === 0) throw refused("nothing_judged", "no kept answer was found useful and named a source");
      const queries = useful.map(({ id, question }) => `${JSON.stringify({ _id: id, text: question })}\n`).join("");
      return { queries, qrels: "query-id\tcorpus-id\tscore\n", count: useful.length };
    },
    answer_judge: ({ id, useful, note }) => {
      const turn = [...all.values()].flatMap(({ turns }) => turns).find((one) => one.id === id);
      if (!turn) throw refused("unknown_answer", `there is no answer \`${id}\``);
      turn.feedback = useful == null ? null : { useful, note: note ?? null, at: iso(start) };
      return {};
    },
  };
}
