"""Apps of other people's frameworks that several files of tests serve."""


def starlette_app():
    """Sends back what it gets."""
    from starlette.applications import Starlette
    from starlette.routing import WebSocketRoute

    async def endpoint(websocket):
        await websocket.accept()
        async for message in websocket.iter_text():
            await websocket.send_text(message)

    return Starlette(routes=[WebSocketRoute("/", endpoint)])
