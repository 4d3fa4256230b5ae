import asyncio

import aiohttp
import frozenlist._frozenlist
import multidict._multidict
import propcache._helpers_c
import yarl._quoting_c
from aiohttp import _http_parser, _http_writer, web


async def handle(request):
    return web.json_response({"path": request.path, "q": dict(request.query)})


async def main():
    app = web.Application()
    app.router.add_get("/{name}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    async with aiohttp.ClientSession() as session:
        async with session.get(f"http://127.0.0.1:{port}/a%20b?x=1") as answer:
            print(answer.status, await answer.json())
    await runner.cleanup()


asyncio.run(main())
print(multidict.MultiDict([("a", 1), ("a", 2)]).getall("a"), yarl.URL("http://é.example/ü"))
