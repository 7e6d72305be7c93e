// Finds things as a person does: by what they are, and by the words that stand there. Runs in the page, before
// a question of a test.
const roles = {
  alert: "[role=alert]",
  article: "article",
  button: "button, summary",
  checkbox: "input[type=checkbox]",
  field: "input:not([type=checkbox], [type=radio]), textarea",
  heading: "h1, h2, h3",
  img: "[role=img], img",
  link: "a[href]",
  listbox: "[role=listbox]",
  option: "[role=option]",
  radio: "input[type=radio]",
  region: "section, aside, nav, main, footer, [role=region], [role=dialog], [role=table]",
};
const plain = (text) => (text ?? "").replace(/\s+/g, " ").trim();
const shown = (element) => element.checkVisibility({ visibilityProperty: true });

function nameOf(element) {
  const named = element.getAttribute("aria-labelledby");
  if (named) return plain(named.split(" ").map((id) => document.getElementById(id)?.textContent).join(" "));
  const label = element.getAttribute("aria-label") ?? element.labels?.[0]?.textContent;
  return plain(label ?? element.innerText);
}

// The whole name, or where nothing has it, its beginning.
function find(role, name, within = document) {
  const all = within === null ? [] : [...within.querySelectorAll(roles[role])].filter(shown);
  return all.find((one) => nameOf(one) === name) ?? all.find((one) => nameOf(one).startsWith(name)) ?? null;
}

const [region, limit, ...given] = arguments;
const done = given.pop();
const place = () => (region === null ? document.body : find("region", region));
const text = () => plain(place()?.innerText);

// Asks again until something is there.
function until(look) {
  const end = performance.now() + limit;
  const again = () => {
    const found = place() === null ? null : look();
    if (found !== null && found !== undefined && found !== false) done(found);
    else if (performance.now() > end) done(null);
    else setTimeout(again, 20);
  };
  again();
}
