"""From the desk through a hosted channel to the customer and back."""

from __future__ import annotations

import trio

from channels.echo.plugin import Echo
from engine.plugins import PluginHost
from engine.web_mounts import Mounts
from tests.console.conftest import Site


async def test_what_the_agent_writes_reaches_the_channel_and_the_answer_the_desk(site: Site) -> None:
    host = PluginHost(site.service, site.tokens, Mounts(), factories={"echo": lambda _: Echo("cards")})
    async with trio.open_nursery() as nursery:
        await nursery.start(host.run)
        ann = await site.logged_in("ann")
        async with ann.socket() as socket:
            await socket.do("sign_in")
            (offer,) = (await socket.desk(lambda d: d["offers"]))["offers"]
            await socket.do("accept", offer=offer["offer"])
            await socket.desk(lambda d: d["conversations"])
            assert (await socket.say(offer["contact"], "您好 <b>", "m-1"))["ok"]
            messages = []
            while len(messages) < 2:
                messages += (await socket.next("messages"))["messages"]
            assert [(m["sender"], m["text"]) for m in messages] == [
                ("agent", "您好 <b>"),
                ("customer", "您好 <b>"),
            ]
            assert [m["position"] for m in messages] == [1, 2]
            assert (await socket.do("end", contact=offer["contact"]))["ok"]
            await socket.desk(lambda d: not d["conversations"])
        nursery.cancel_scope.cancel()
