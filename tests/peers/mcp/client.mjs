// A session of the official TypeScript client: `node client.mjs http URL` or
// `node client.mjs stdio PROGRAM`. The token is in HIRAG_SERVER_TOKEN.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

// The packages stand where the tests installed them, and not beside this file.
const installed = createRequire(path.join(process.cwd(), "package.json"));
const part = async (name) =>
  import(pathToFileURL(installed.resolve(`@modelcontextprotocol/sdk/${name}.js`)).href);
const { Client } = await part("client/index");
const { StdioClientTransport } = await part("client/stdio");
const { StreamableHTTPClientTransport } = await part("client/streamableHttp");

const [kind, where] = process.argv.slice(2);

function transport() {
  if (kind === "stdio") {
    const ours = ([name]) => name.startsWith("HIRAG_") || name.startsWith("XDG_");
    const env = Object.fromEntries(Object.entries(process.env).filter(ours));
    return new StdioClientTransport({ command: where, args: ["mcp"], env });
  }
  const headers = { Authorization: `Bearer ${process.env.HIRAG_SERVER_TOKEN}` };
  return new StreamableHTTPClientTransport(new URL(`${where}/mcp`), { requestInit: { headers } });
}

const client = new Client({ name: "typescript-peer", version: "1" });
await client.connect(transport());
console.log(`typescript ${kind}: ${JSON.stringify(client.getServerVersion())}`);

// The client checks every structure against its schema.
async function call(name, args) {
  const result = await client.callTool({ name, arguments: args });
  assert.ok(!result.isError, JSON.stringify(result));
  return result.structuredContent;
}

const { tools } = await client.listTools();
assert.equal(tools.length, 12);
const session = `typescript-${kind}`;
const text = `The mill of ${session} stands still on Sundays.`;
const stored = await call("memory_store", { text, session, level: "ShortTerm" });
const found = await call("memory_search", { query: text, session });
assert.deepEqual(found.contexts.map((one) => one.id), [stored.id]);
assert.equal(found.contexts[0].agent, "typescript-peer");
const asked = await call("memory_ask", { question: text, session });
assert.deepEqual(asked.sources.map((one) => one.id), [stored.id]);
const why = await call("memory_explain", { query: text, session, id: stored.id });
assert.equal(why.candidates[0].returned, true);
assert.equal((await call("memory_list", { session })).total, 1);
await call("memory_update", { id: stored.id, expires_at: "never" });
const { results } = await call("search", { query: text });
assert.ok(results.some((one) => one.id === stored.id));
assert.equal((await call("fetch", { id: stored.id })).text, text);
await call("memory_delete", { ids: [stored.id] });
const back = await call("memory_update", { id: stored.id, restore: true });
assert.equal(back.context.text, text);

const uri = `hirag://contexts/${stored.id}`;
const { resources } = await client.listResources();
assert.ok(resources.some((one) => one.uri === uri));
assert.equal((await client.readResource({ uri })).contents[0].text, text);
const prompt = await client.getPrompt({ name: "summarise_session", arguments: { session } });
assert.ok(prompt.messages[0].content.text.includes(text));
const completed = await client.complete({
  ref: { type: "ref/prompt", name: "summarise_session" },
  argument: { name: "session", value: "typescript-" },
});
assert.ok(completed.completion.values.includes(session));

const refused = await client.callTool({ name: "memory_get", arguments: { id: "no id" } });
assert.ok(refused.isError && refused.content[0].text.startsWith("error[invalid_id]"));
await call("memory_delete", { ids: [stored.id] });
await assert.rejects(client.callTool({ name: "no_tool", arguments: {} }), { code: -32602 });
await client.close();
