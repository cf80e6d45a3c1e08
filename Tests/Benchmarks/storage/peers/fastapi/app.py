import os
from contextlib import asynccontextmanager

import asyncpg
from fastapi import FastAPI, Request


@asynccontextmanager
async def life(app):
    app.pool = await asyncpg.create_pool(
        host=os.environ["PGHOST"],
        user=os.environ["PGUSER"],
        database=os.environ["PGDATABASE"],
        min_size=8,
        max_size=16,
    )
    yield


app = FastAPI(lifespan=life)


@app.get("/books/{id}")
async def get_book(id: int):
    async with app.pool.acquire() as connection:
        book = await connection.fetchrow("select id, title from book where id = $1", id)
        authors = await connection.fetch(
            "select a.name from author a join book_author ba on ba.author_id = a.id where ba.book_id = $1", id
        )
    return {"id": book["id"], "title": book["title"], "authors": [{"name": author["name"]} for author in authors]}


@app.post("/reading-list")
async def reading_list(request: Request):
    given = await request.json()
    async with app.pool.acquire() as connection, connection.transaction():
        await connection.execute("update book set title = $2 where id = $1", given["book_id"], given["title"])
        await connection.execute("update reader set name = $2 where id = $1", given["reader_id"], given["name"])
    return {"ok": True}
