// How long the page waits for searches and for the order by other weights: runs in the page, after page.js, and
// leaves its figures in `window.figures`.
const invoke = (name, request) => window.__TAURI_INTERNALS__.invoke(name, { request });
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

async function measure(rounds) {
  const figures = { "search: IPC": [], "search: IPC, rendered": [], "search: IPC, with its frame": [], "re-rank: IPC": [], "re-rank: rendered": [], "re-rank: with its frame": [] };
  const request = (query) => ({ query, max_tokens: null, limit: null, levels: [], filter: {}, mode: "hybrid", priority: "high", explain: true });
  for (let i = 0; i < rounds; i += 1) {
    let start = performance.now();
    const answer = await invoke("search", request(question(i)));
    figures["search: IPC"].push(performance.now() - start - answer.retrieval_time_ms);

    const weights = { similarity: 0.9, recency: 0.05 + (i % 9) / 1000, level: 0.03, frequency: 0.02 - (i % 9) / 1000 };
    start = performance.now();
    await invoke("rerank", { trace_id: answer.metadata.trace_id, weights, strategy: null, relevance_threshold: null, max_tokens: null });
    figures["re-rank: IPC"].push(performance.now() - start);
  }
  for (let i = 0; i < rounds; i += 1) {
    // The form asks, as for a person; what the search itself took is told in the answer.
    const query = question(1000 + i);
    const told = new Promise((tell) => {
      const fetched = window.fetch;
      window.fetch = async (...given) => {
        const response = await fetched(...given);
        if (String(given[0]).includes("/search")) {
          window.fetch = fetched;
          void response.clone().json().then((answer) => tell(answer.retrieval_time_ms));
        }
        return response;
      };
    });
    const before = document.querySelector("article");
    const start = performance.now();
    location.hash = `#/search?query=${encodeURIComponent(query)}`;
    await when(() => document.querySelector("article") && document.querySelector("article") !== before);
    document.querySelector("article").getBoundingClientRect();
    const rendered = performance.now() - start;
    await afterFrame();
    const framed = performance.now() - start;
    const retrieval = await told;
    figures["search: IPC, rendered"].push(rendered - retrieval);
    figures["search: IPC, with its frame"].push(framed - retrieval);
    // The rest of the list follows; it is no part of what is waited for.
    await when(() => document.querySelectorAll("article").length > 40);
  }
  const slider = document.querySelector("aside input[type=range]");
  for (let i = 0; i < rounds; i += 1) {
    const bar = document.querySelector("article [role=img]");
    const label = bar.getAttribute("aria-label");
    const start = performance.now();
    slider.value = String(0.4 + (i % 50) / 100);
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    await when(() => document.querySelector("article [role=img]").getAttribute("aria-label") !== label);
    document.querySelector("article").getBoundingClientRect();
    figures["re-rank: rendered"].push(performance.now() - start);
    await afterFrame();
    figures["re-rank: with its frame"].push(performance.now() - start);
    await afterFrame();
  }
  return figures;
}
