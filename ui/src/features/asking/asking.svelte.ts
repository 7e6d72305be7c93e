// The conversation that is shown, and the answer that is coming; both outlive a change of view.
import type { Answer } from "$bindings/Answer";
import type { AnswerId } from "$bindings/AnswerId";
import type { AnswerPart } from "$bindings/AnswerPart";
import type { AskRequest } from "$bindings/AskRequest";
import type { Begun } from "$bindings/Begun";
import type { Found } from "$bindings/Found";
import type { Turn } from "$bindings/Turn";
import { type CommandFailure, asFailure, call, on } from "../../platform/platform";
import { outdated } from "../../shared/query";

/** A question and what there is of its answer. */
export type Asked = {
  question: string;
  found: Found | null;
  begun: Begun | null;
  /** The words so far. */
  text: string;
  answer: Answer | null;
  feedback: Turn["feedback"];
  stopped: boolean;
};

const asked = (question: string): Asked => ({
  question,
  found: null,
  begun: null,
  text: "",
  answer: null,
  feedback: null,
  stopped: false,
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
  /** Listens no longer to the answer that is coming. */
  #leave = (): void => {};

  get busy(): boolean {
    return this.#name !== null;
  }

  get ready(): boolean {
    return !this.busy && this.question.trim() !== "";
  }

  async ask(): Promise<void> {
    if (!this.ready) return;
    const question = this.question.trim();
    const name = crypto.randomUUID();
    this.failure = null;
    this.#name = name;
    this.#leave = on("answer", (part) => this.#take(part));
    this.turns.push(asked(question));
    const request: AskRequest = {
      question,
      session: this.session,
      keep: true,
      max_tokens: null,
      levels: [],
      filter: { must: [], should: [], must_not: [] },
      mode: "hybrid",
      extractive: false,
      fresh: false,
    };
    try {
      await call("ask_start", { name, request });
      this.question = "";
    } catch (thrown) {
      this.failure = asFailure(thrown);
      this.turns.pop();
      if (this.#name === name) this.#ended();
    }
  }

  async stop(): Promise<void> {
    const name = this.#name;
    if (!name) return;
    this.#ended();
    const last = this.turns.at(-1);
    if (last) last.stopped = true;
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
      this.turns = turns.map(({ question, answer, feedback }) => ({ ...asked(question), text: answer.text, answer, feedback }));
    } catch (thrown) {
      if (turn === this.#opened) this.failure = asFailure(thrown);
    }
  }

  /** Keeps what one thinks of an answer. */
  async judge(turn: Asked, id: AnswerId, useful: boolean | null, note: string | null): Promise<void> {
    await call("answer_judge", { id, useful, note });
    turn.feedback = useful === null ? null : { useful, note, at: new Date().toISOString() };
  }

  #ended(): void {
    this.#name = null;
    this.#leave();
  }

  #take(part: AnswerPart): void {
    const last = this.turns.at(-1);
    if (part.name !== this.#name || !last) return;
    if (part.event === "found") last.found = part.data;
    else if (part.event === "begun") last.begun = part.data;
    else if (part.event === "text") last.text += part.data;
    else {
      last.answer = part.data;
      last.text = part.data.text;
      this.session = part.data.session ?? this.session;
      this.#ended();
      outdated("conversations");
    }
  }
}

export const asking = new Asking();
