"""What happened on a connection, and what it means: no pytest, no asyncio, no socket, no clock."""
