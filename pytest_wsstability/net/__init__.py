"""asyncio: the only place with sockets."""
