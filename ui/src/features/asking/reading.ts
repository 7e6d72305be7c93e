// How brackets in a text are read: as in the core, `crates/hirag/src/answering/citations/`, whose cases both are tested
// with. What is read was checked there: every source that it names stands as `[1]` or `[1, 2]`.

const space = /^\p{White_Space}$/u;
const letterOrDigit = /^[\p{Alphabetic}\p{N}]$/u;
const small = /^[a-z]$/;

/** Follows a text, character by character: where it is code, in which brackets name no sources. */
export class Code {
  /** Marks just now, one after the other, and what they are: backticks or tildes. */
  #run = 0;
  #mark = "";
  /** Whether nothing but space stands before them in their line. */
  #leads = false;
  /** Whether anything but space stands in this line so far. */
  #written = false;
  /** Code that has begun; a block goes on over lines. */
  #open: { mark: string; run: number; block: boolean } | null = null;

  get isOpen(): boolean {
    if (this.#run > 0) this.#settle();
    return this.#open !== null;
  }

  follow(c: string): void {
    if (this.#run > 0 && c !== this.#mark) this.#settle();
    if (c === "`" || c === "~") {
      if (this.#run === 0) [this.#mark, this.#leads] = [c, !this.#written];
      this.#run += 1;
      this.#written = true;
    } else if (c === "\n") {
      // A stray mark must not hide all that follows.
      if (!this.#open?.block) this.#open = null;
      this.#written = false;
    } else if (!space.test(c)) this.#written = true;
  }

  /** What the marks mean, now that there are no more of them. */
  #settle(): void {
    const [mark, run, open] = [this.#mark, this.#run, this.#open];
    this.#run = 0;
    const block = run >= 3 && this.#leads;
    if (open === null) {
      if (block || mark === "`") this.#open = { mark, run, block };
    } else if (open.mark === mark && (open.block ? block && run >= open.run : run === open.run)) this.#open = null;
  }
}

/** Follows a text: whether brackets that come now are the index of something, as in `a[9]`, `my_list[9]`, `a[i][9]`. */
export class Before {
  /** Characters of the word that ends here, and whether all of them are small letters of ASCII. */
  #word = 0;
  #small = false;
  #letter = false;
  /** Whether underscores end here that stand behind a letter or a digit, and whether some stand between two of them. */
  #joint = false;
  #joined = false;
  #index = false;
  /** The brackets that are open since an index began: whether each is one. */
  #open: boolean[] = [];

  get isIndex(): boolean {
    return this.#index || this.#joined || (this.#word === 1 && this.#small);
  }

  follow(c: string): void {
    let index = false;
    if (c === "\n") this.#open = [];
    else if (c === "[" && (this.#open.length > 0 || this.isIndex)) this.#open.push(this.isIndex);
    else if (c === "]") index = this.#open.pop() ?? false;
    const letter = letterOrDigit.test(c);
    if (!letter && !/^[_'’-]$/.test(c)) {
      this.sources();
      this.#index = index;
      return;
    }
    this.#small = small.test(c) && (this.#small || this.#word === 0);
    this.#word += 1;
    this.#joined ||= letter && this.#joint;
    this.#joint = c === "_" && (this.#letter || this.#joint);
    this.#letter = letter;
    this.#index = false;
  }

  /** Takes brackets that name sources. */
  sources(): void {
    this.#word = 0;
    this.#small = this.#letter = this.#joint = this.#joined = this.#index = false;
  }
}
