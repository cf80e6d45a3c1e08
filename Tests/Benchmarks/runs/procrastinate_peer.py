"""What Procrastinate does with an empty task: jobs deferred in batches of 50 while one worker of 32 at a time carries them out.
Prints jobs a second, from the first deferral to the last end.

    procrastinate_peer.py CONNECTION_STRING JOBS
"""
import asyncio
import sys
import time

import procrastinate


async def main(connection, jobs):
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=connection, max_size=16))
    done = asyncio.Event()
    ended = 0

    @app.task(name="empty")
    async def empty(text):
        nonlocal ended
        ended += 1
        if ended == jobs:
            done.set()
        return text

    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        worker = asyncio.create_task(app.run_worker_async(concurrency=32, install_signal_handlers=False))
        start = time.monotonic()
        for _ in range(jobs // 50):
            await empty.batch_defer_async(*[{"text": "How?"}] * 50)
        await done.wait()
        print(jobs / (time.monotonic() - start))
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
