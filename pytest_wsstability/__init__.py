"""WebSocket stability requirements as pytest tests."""
