"""A session of the official Python client: `client.py http URL` or `client.py stdio PROGRAM`.

The token is in HIRAG_SERVER_TOKEN. Both ways into the protocol are gone: the handshake of the older
versions, and the discovery of those from 2026 on.
"""

import asyncio
import os
import sys
from contextlib import asynccontextmanager

import httpx2
from mcp import ClientSession, MCPError, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client


@asynccontextmanager
async def transport(kind, where):
    if kind == "stdio":
        environment = {key: value for key, value in os.environ.items() if key.startswith(("HIRAG_", "XDG_"))}
        program = StdioServerParameters(command=where, args=["mcp"], env=environment)
        async with stdio_client(program) as streams:
            yield streams
        return
    headers = {"Authorization": f"Bearer {os.environ['HIRAG_SERVER_TOKEN']}"}
    async with httpx2.AsyncClient(headers=headers, timeout=60) as client:
        async with streamable_http_client(f"{where}/mcp", http_client=client) as streams:
            yield streams


async def session_of(kind, where, begin):
    async with transport(kind, where) as streams:
        async with ClientSession(streams[0], streams[1]) as session:
            await getattr(session, begin)()
            print(f"python {kind} {begin}: protocol {session.protocol_version}")
            await use(session, f"{kind}-{begin}")


async def use(session, name):
    tools = (await session.list_tools()).tools
    assert len(tools) == 12, [tool.name for tool in tools]
    text = f"The harbour of {name} opens at dawn."
    # The client checks every structure against its schema.
    stored = await call(session, "memory_store", text=text, level="LongTerm", session=name)
    found = await call(session, "memory_search", query=text, session=name)
    assert [one["id"] for one in found["contexts"]] == [stored["id"]], found
    asked = await call(session, "memory_ask", question=text, session=name)
    assert [one["id"] for one in asked["sources"]] == [stored["id"]], asked
    explained = await call(session, "memory_explain", trace_id=found["trace_id"])
    assert explained["candidates"][0]["returned"], explained
    listed = await call(session, "memory_list", session=name)
    assert listed["total"] == 1, listed
    changed = await call(session, "memory_update", id=stored["id"], metadata={"seen": True})
    assert changed["context"]["metadata"] == {"seen": True}, changed
    results = await call(session, "search", query=text)
    assert stored["id"] in [one["id"] for one in results["results"]], results
    document = await call(session, "fetch", id=stored["id"])
    assert document["text"] == text, document
    await resources(session, stored["id"], text)
    await prompts(session, name, text)
    await call(session, "memory_delete", ids=[stored["id"]])
    refused = await session.call_tool("memory_get", {"id": "no id"})
    assert refused.is_error and "invalid_id" in refused.content[0].text, refused
    await fails(session.call_tool("no_tool", {}), -32602)
    await fails(session.read_resource("hirag://contexts/no-id"), None)


async def call(session, tool, /, **arguments):
    result = await session.call_tool(tool, arguments)
    assert not result.is_error, result
    return result.structured_content


async def resources(session, stored, text):
    listed = (await session.list_resources()).resources
    assert any(stored in str(one.uri) for one in listed), listed
    assert len((await session.list_resource_templates()).resource_templates) == 2
    read = await session.read_resource(f"hirag://contexts/{stored}")
    assert read.contents[0].text == text, read


async def prompts(session, name, text):
    assert len((await session.list_prompts()).prompts) == 2
    recalled = await session.get_prompt("recall", {"query": text})
    assert text in recalled.messages[0].content.text, recalled
    summary = await session.get_prompt("summarise_session", {"session": name})
    assert text in summary.messages[0].content.text, summary


async def fails(work, code):
    try:
        await work
    except MCPError as error:
        assert code is None or error.error.code == code, error
        return
    raise AssertionError("it did not fail")


async def main():
    kind, where = sys.argv[1:]
    for begin in ["initialize", "discover"]:
        await session_of(kind, where, begin)


asyncio.run(main())
