"""What a team would write instead: FastAPI, asyncpg, aiohttp for Slack, and a pydantic-ai agent, as its documentation has it.
With RAW=1 aiohttp asks the model too, without an agent framework: the fastest we know how to write in Python."""
import asyncio
import os
from contextlib import asynccontextmanager

import aiohttp
import asyncpg
from fastapi import FastAPI, Request

PROVIDER = os.environ["PROVIDER"]

if os.environ.get("RAW"):

    async def run(app, question):
        body = {"model": "gpt-5", "messages": [{"role": "user", "content": question}]}
        async with app.http.post(PROVIDER + "/v1/chat/completions", json=body) as response:
            return (await response.json())["choices"][0]["message"]["content"]

else:
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    agent = Agent(OpenAIChatModel("gpt-5", provider=OpenAIProvider(base_url=PROVIDER + "/v1", api_key="none")))

    async def run(app, question):
        return (await agent.run(question)).output


@asynccontextmanager
async def life(app):
    app.pool = await asyncpg.create_pool(
        host=os.environ["PGHOST"],
        user=os.environ["PGUSER"],
        database=os.environ["PGDATABASE"],
        min_size=8,
        max_size=16,
    )
    app.http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=4000))
    yield


app = FastAPI(lifespan=life)


async def tell(slack):
    status = {"channel_id": slack["channel"], "thread_ts": slack["thread"], "status": "Finding a response…"}
    async with app.http.post(PROVIDER + "/slack/assistant.threads.setStatus", json=status) as response:
        await response.read()


async def store(reader, question):
    async with app.pool.acquire() as connection:
        await connection.execute("insert into question (reader, text) values ($1, $2)", reader, question)


@app.get("/ready")
async def ready():
    return {}


@app.post("/v1/ask")
async def ask(request: Request):
    given = await request.json()
    async with asyncio.TaskGroup() as group:
        group.create_task(tell(given["slack"]))
        group.create_task(store(given["reader"], given["question"]))
        answer = group.create_task(run(app, given["question"]))
    return {"answer": answer.result()}
