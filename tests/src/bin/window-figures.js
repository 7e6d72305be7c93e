// How long the page waits for searches and for the order by other weights: runs in the page, after page.js, and
// leaves its figures in `window.figures`.
const afterFrame = () => new Promise((go) => requestAnimationFrame(() => setTimeout(go)));
const words = ["river", "winter", "engine", "garden", "letter", "market", "window", "castle", "silver", "harbour"];
const question = (i) => `${words[i % 10]} ${words[(i * 3 + 1) % 10]} ${i}`;

/** Until the page holds what `look` looks for; told by its changes, not by a clock. */
function when(look) {
  return new Promise((found) => {
    if (look()) return found();
    const watch = new MutationObserver(() => {
      if (!look()) return;
      watch.disconnect();
      found();
    });
    watch.observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
  });
}

/** What the next call of a command takes, seen from the page: when it goes out and when its answer is read. */
function overhear(command) {
  return new Promise((tell) => {
    const fetched = window.fetch;
    window.fetch = async (...given) => {
      if (!String(given[0]).endsWith(`/${command}`)) return fetched(...given);
      window.fetch = fetched;
      const asked = performance.now();
      const response = await fetched(...given);
      const json = response.json.bind(response);
      response.json = async () => {
        const answer = await json();
        tell({ asked, answered: performance.now(), answer });
        return answer;
      };
      return response;
    };
  });
}

const settled = () => new Promise((go) => setTimeout(go, 150));

async function measure(rounds) {
  const figures = {};
  let lastHeard;
  const note = (name, ms) => (figures[name] ??= []).push(ms);
  for (let i = 0; i < rounds; i += 1) {
    // Rows stay in the page and are filled anew.
    const first = () => document.querySelector("article")?.dataset.row;
    const before = first();
    const heard = (lastHeard = overhear("search"));
    const start = performance.now();
    // The form asks, as for a person.
    location.hash = `#/search?query=${encodeURIComponent(question(i))}`;
    await when(() => first() !== undefined && first() !== before);
    const rendered = performance.now();
    document.querySelector("article").getBoundingClientRect();
    const laidOut = performance.now();
    await afterFrame();
    const framed = performance.now();
    const { asked, answered, answer } = await heard;
    const retrieval = answer.retrieval_time_ms;
    note("search: retrieval itself", retrieval);
    note("search: until it is asked", asked - start);
    note("search: IPC beside retrieval", answered - asked - retrieval);
    note("search: rendering", rendered - answered);
    note("search: layout", laidOut - rendered);
    note("search: IPC and rendering", laidOut - asked - retrieval);
    note("search: until its frame", framed - asked - retrieval);
    // The rest of the list follows; it is no part of what is waited for.
    await when(() => document.querySelectorAll("article").length >= Math.min(40, answer.contexts.length));
    note("search: contexts", answer.contexts.length);
    await settled();
  }
  const last = await lastHeard;
  for (let i = 0; i < rounds; i += 1) {
    const weights = { similarity: 0.9, recency: 0.05 + (i % 9) / 1000, level: 0.03, frequency: 0.02 - (i % 9) / 1000 };
    const request = { trace_id: last.answer.metadata.trace_id, weights, strategy: null, relevance_threshold: null, max_tokens: null };
    const start = performance.now();
    await window.__TAURI_INTERNALS__.invoke("rerank", { request });
    note("re-rank: IPC while nothing is drawn", performance.now() - start);
    await settled();
  }
  const slider = document.querySelector("aside input[type=range]");
  for (let i = 0; i < rounds; i += 1) {
    const label = document.querySelector("article [role=img]").getAttribute("aria-label");
    const heard = overhear("rerank");
    const start = performance.now();
    slider.value = String(0.4 + (i % 50) / 100);
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    await when(() => document.querySelector("article [role=img]").getAttribute("aria-label") !== label);
    const rendered = performance.now();
    document.querySelector("article").getBoundingClientRect();
    const laidOut = performance.now();
    await afterFrame();
    const framed = performance.now();
    const { asked, answered } = await heard;
    note("re-rank: IPC", answered - asked);
    note("re-rank: rendering", rendered - answered);
    note("re-rank: layout", laidOut - rendered);
    note("re-rank: IPC and rendering", laidOut - start);
    note("re-rank: until its frame", framed - start);
    await settled();
  }
  return figures;
}
