// The conversation that is shown, and the answer that is coming; both outlive a change of view.
import type { Answer } from "$bindings/Answer";
import type { AnswerId } from "$bindings/AnswerId";
import type { AnswerPart } from "$bindings/AnswerPart";
import type { Begun } from "$bindings/Begun";
import type { Found } from "$bindings/Found";
import type { Turn } from "$bindings/Turn";
import { type CommandFailure, asFailure, call, on } from "../../platform/platform";
import { newName } from "../../shared/names";
import { outdated } from "../../shared/query";
import { options } from "./options.svelte";

/** A question and what there is of its answer. */
export type Asked = {
  question: string;
  found: Found | null;
  begun: Begun | null;
  /** The words so far. */
  text: string;
  answer: Answer | null;
  feedback: Turn["feedback"];
  /** Why no more comes, where there is no answer. */
  ended: "stopped" | "lost" | null;
};

const asked = (question: string): Asked => ({
  question,
  found: null,
  begun: null,
  text: "",
  answer: null,
  feedback: null,
  ended: null,
});

class Asking {
  /** What is typed. */
  question = $state("");
  session = $state<string | null>(null);
  turns = $state<Asked[]>([]);
  failure = $state.raw<CommandFailure | null>(null);
  /** The name of the question that is being answered. */
  #name = $state<string | null>(null);
  #opened = 0;

  get busy(): boolean {
    return this.#name !== null;
  }

  get ready(): boolean {
    return !this.busy && this.question.trim() !== "";
  }

  /** Whether there is something to export. */
  get kept(): boolean {
    return this.turns.some(({ answer }) => answer?.id != null);
  }

  /** Listens until the returned function is called: before the first question, so that no word is missed. */
  follow(): () => void {
    const stops = [
      on("answer", (part) => this.#take(part)),
      on("connection", ({ state }) => {
        if (state === "connected") void this.#catchUp();
      }),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }

  async ask(): Promise<void> {
    if (!this.ready) return;
    const typed = this.question;
    const name = newName();
    this.failure = null;
    this.#name = name;
    // The page names a conversation: what comes next goes on with it, whatever becomes of this answer.
    this.session ??= newName();
    const request = options.request(typed.trim(), this.session);
    this.turns.push(asked(request.question));
    const turn = this.turns.at(-1);
    try {
      await call("ask_start", { name, request });
    } catch (thrown) {
      // By now another conversation may be shown.
      if (this.#name !== name) return;
      this.failure = asFailure(thrown);
      this.turns.pop();
      this.#name = null;
      return;
    }
    if (this.question === typed) this.question = "";
    // The host may not have known of it when it was stopped.
    if (turn?.ended === "stopped") await call("ask_stop", { name }).catch(() => {});
  }

  async stop(): Promise<void> {
    const name = this.#name;
    if (!name) return;
    this.#end("stopped");
    await call("ask_stop", { name }).catch(() => {});
  }

  /** Begins a new conversation. */
  begin(): void {
    void this.stop();
    this.#opened += 1;
    this.session = null;
    this.turns = [];
    this.failure = null;
  }

  async open(session: string): Promise<void> {
    this.begin();
    const turn = this.#opened;
    try {
      const { turns } = await call("conversation", { session });
      // Another was opened meanwhile.
      if (turn !== this.#opened) return;
      this.session = session;
      this.turns = turns.map(before);
    } catch (thrown) {
      if (turn === this.#opened) this.failure = asFailure(thrown);
    }
  }

  /** Keeps what one thinks of an answer. */
  async judge(turn: Asked, id: AnswerId, useful: boolean | null, note: string | null): Promise<void> {
    await call("answer_judge", { id, useful, note });
    turn.feedback = useful === null ? null : { useful, note, at: new Date().toISOString() };
  }

  #end(why: Asked["ended"]): void {
    const last = this.turns.at(-1);
    if (last && !last.answer) last.ended = why;
    this.#name = null;
  }

  #take(part: AnswerPart): void {
    const last = this.turns.at(-1);
    if (part.name !== this.#name || !last) return;
    if (part.event === "found") last.found = part.data;
    else if (part.event === "begun") last.begun = part.data;
    else if (part.event === "text") last.text += part.data;
    else if (part.event === "stopped") this.#end("stopped");
    else {
      last.answer = part.data;
      last.text = part.data.text;
      this.#name = null;
      outdated("conversations");
    }
  }

  /** Some of what the host told was not heard, the end of the answer perhaps. */
  async #catchUp(): Promise<void> {
    const [name, session, last] = [this.#name, this.session, this.turns.at(-1)];
    if (!name || !session || !last) return;
    const status = await call("ask_status", { name }).catch(() => null);
    // Its end is told with all of its words. A host that has gone again comes back once more.
    if (!status || status.running || this.#name !== name) return;
    const conversation = await call("conversation", { session }).catch(() => null);
    if (this.#name !== name) return;
    const known = new Set(this.turns.map(({ answer }) => answer?.id));
    const kept = conversation?.turns.filter((turn) => turn.question === last.question && !known.has(turn.id)).at(-1);
    if (!kept) return this.#end("lost");
    this.turns[this.turns.length - 1] = before(kept);
    this.#name = null;
  }
}

/** A question and answer that are kept. */
function before({ question, answer, feedback }: Turn): Asked {
  return { ...asked(question), text: answer.text, answer, feedback };
}

export const asking = new Asking();
